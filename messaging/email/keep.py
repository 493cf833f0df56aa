"""The raw bytes of a mail, committed before anything is done with them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.email.parse import fingerprint
from messaging.models import InboundMail, Mailbox


def keep(
    raw: bytes,
    *,
    envelope_from: str = "",
    envelope_to: str = "",
    mailbox: Mailbox | None = None,
) -> tuple[InboundMail, bool]:
    """Commit the bytes, or find the same mail that came before; and whether it is new.

    Several deliveries at once wait for one another on the unique index: one of them is the mail.
    """
    print_ = fingerprint(raw)
    row = InboundMail(
        raw=raw,
        envelope_from=printable(envelope_from)[:320],
        envelope_to=printable(envelope_to)[:320],
        fingerprint=print_,
        mailbox=mailbox,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        first = InboundMail.objects.counting().without_raw().get(fingerprint=print_)
        InboundMail.objects.create(
            raw=b"",
            envelope_from=row.envelope_from,
            envelope_to=row.envelope_to,
            fingerprint=print_,
            mailbox=mailbox,
            outcome=InboundMail.Outcome.DUPLICATE,
            reason=[{"code": "duplicate", "of": first.pk}],
            done_at=timezone.now(),
        )
        return first, False
    return row, True


def printable(address: str) -> str:
    """An address of the envelope, as strangers write them, without what no table takes."""
    return "".join(filter(str.isprintable, address))
