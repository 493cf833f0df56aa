"""Setting up the accounts that mail comes and goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from messaging.models import Mailbox, MailboxAddress
from people.audit import record_change
from people.models import User
from people.rows import write_row


class AddressIsTaken(Exception):
    """Another mailbox has this address."""


@transaction.atomic
def save_mailbox(
    mailbox: Mailbox,
    values: Mapping[str, Any],
    *,
    addresses: Sequence[str],
    actor: User,
    seen: str = "",
) -> Mailbox:
    """Write a new or an existing mailbox with its addresses in their order.

    Raises `AddressIsTaken`, or `people.rows.RowHasChanged`.
    """
    mailbox = write_row(mailbox, values, actor=actor, seen=seen)
    before = [one.address for one in mailbox.addresses.all()]
    wanted = list(dict.fromkeys(address.strip().lower() for address in addresses))
    mailbox.addresses.exclude(address__in=wanted).delete()
    for place, address in enumerate(wanted):
        try:
            with transaction.atomic():
                MailboxAddress.objects.update_or_create(
                    mailbox=mailbox, address=address, defaults={"position": place}
                )
        except IntegrityError:
            raise AddressIsTaken(address) from None
    record_change(
        actor, "changed", mailbox, before={"addresses": before}, after={"addresses": wanted}
    )
    return mailbox
