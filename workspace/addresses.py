"""Addresses to which nothing is sent unasked, as the desk says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.models import Suppression


@dataclass(frozen=True, slots=True)
class Undeliverable:
    address: str
    reason: str
    #: What the other server said last.
    words: str
    since: datetime

    @classmethod
    def among(cls, addresses: Iterable[str]) -> dict[str, Undeliverable]:
        """Those of these addresses."""
        return {
            row.address: cls(row.address, row.reason, row.words, row.since)
            for row in Suppression.objects.of(addresses)
            if row.since
        }

    @property
    def is_complaint(self) -> bool:
        return self.reason == Suppression.Reason.COMPLAINT

    @property
    def label(self) -> str:
        return _("Wants no mail") if self.is_complaint else _("Undeliverable")

    @property
    def text(self) -> str:
        day = date_format(timezone.localtime(self.since), "DATE_FORMAT")
        if self.is_complaint:
            words = _("%(address)s reported our mail as unwanted on %(day)s.")
        else:
            words = _("Mails to %(address)s come back since %(day)s.")
        return words % {"address": self.address, "day": day}
