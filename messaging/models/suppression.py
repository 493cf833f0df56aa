from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def standing(self) -> Self:
        """Those to which nothing is sent unasked; the others have bounced too seldom for that."""
        return self.filter(since__isnull=False)

    def of(self, addresses: Iterable[str]) -> Self:
        return self.standing().filter(address__in=[one.strip().lower() for one in addresses])

    def holds(self, address: str) -> bool:
        """Whether nothing may be sent to this address unasked."""
        return self.of([address]).exists()


class Suppression(models.Model):
    """An address whose mail comes back, or whose owner reported our mail as unwanted: nothing is
    sent there by itself. A person may still write to it."""

    class Reason(models.TextChoices):
        HARD = "hard", _("Takes no mail")
        SOFT = "soft", _("Mails come back again and again")
        COMPLAINT = "complaint", _("Reported our mail as unwanted")

    # In lower case.
    address = models.CharField(_("address"), max_length=320)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    # The other server's, of the newest report.
    words = models.CharField(_("words"), max_length=500, blank=True)
    count = models.PositiveIntegerField(_("bounces in a row"), default=0)
    last_at = models.DateTimeField(default=timezone.now)
    # Since when nothing is sent; none as long as it has bounced too seldom for that.
    since = models.DateTimeField(_("since"), null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("address", name="messaging_suppression_once"),
            models.CheckConstraint(
                condition=models.Q(address=Lower("address")), name="messaging_suppression_lower"
            ),
        ]
        indexes = [models.Index(fields=["-since", "-id"], name="messaging_suppression_newest")]

    def __str__(self) -> str:
        return self.address
