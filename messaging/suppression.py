"""Which addresses nothing is sent to unasked, and how they get out of that again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from messaging.models import Suppression
from people.actions.customers import decline_surveys
from people.audit import record_change, snapshot
from people.models import Customer, User

Reason = Suppression.Reason

#: Soft bounces in a row that count like a hard one, none later than so long after the one before.
SOFT_IN_A_ROW: Final = 3
WITHIN: Final = timedelta(days=30)


@transaction.atomic
def note_failed(address: str, *, is_hard: bool, words: str = "") -> None:
    """A mail to this address came back: hold it after a hard bounce, or several soft ones."""
    row = _row(address)
    now = timezone.now()
    is_in_a_row = row.since is not None or row.last_at > now - WITHIN
    row.count = row.count + 1 if is_in_a_row else 1
    row.words, row.last_at = " ".join(words.split())[:500], now
    if row.since is None:
        row.reason = Reason.HARD if is_hard else Reason.SOFT
        row.since = now if is_hard or row.count >= SOFT_IN_A_ROW else None
    elif is_hard and row.reason == Reason.SOFT:
        row.reason = Reason.HARD
    row.save()


@transaction.atomic
def note_complaint(address: str) -> None:
    """The owner of this address reported our mail as unwanted: nothing more is sent unasked, and
    they are not asked for ratings any more."""
    row = _row(address)
    row.reason, row.last_at = Reason.COMPLAINT, timezone.now()
    row.since = row.since or row.last_at
    row.save()
    for customer in Customer.objects.with_email(address):
        decline_surveys(customer)


def note_arrives(address: str) -> None:
    """This address works: a mail to it arrived, or one surely from it came. What was complained
    about stays so: only a person lifts that."""
    Suppression.objects.filter(address=_stored(address)).exclude(reason=Reason.COMPLAINT).delete()


@transaction.atomic
def lift(pk: int, *, actor: User) -> str:
    """Let mail go to this address again, because a colleague says so; the address, or an empty text
    when it was lifted already."""
    row = Suppression.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return ""
    record_change(actor, "deleted", row, before=snapshot(row, ["reason", "words", "since"]))
    row.delete()
    return row.address


def _row(address: str) -> Suppression:
    row, _is_new = Suppression.objects.select_for_update().get_or_create(
        address=_stored(address), defaults={"reason": Reason.SOFT}
    )
    return row


def _stored(address: str) -> str:
    return address.strip().lower()[:320]
