from __future__ import annotations

from django.db import transaction

from messaging.intake import claim_key
from people.models import Customer, Identity, Team, User
from tickets.actions import MessageDraft
from tickets.actions.first import write_first
from tickets.models import Status, Ticket


@transaction.atomic
def send_first(
    customer: Customer,
    *,
    identity: Identity,
    subject: str,
    draft: MessageDraft,
    author: User,
    team: Team | None,
    then: Status | None,
    key: str,
) -> Ticket:
    """Write to a customer who has not asked; the same key again is the same ticket."""
    claimed, earlier = claim_key(key)
    if earlier:
        return earlier.ticket
    ticket = write_first(
        customer,
        identity=identity,
        subject=subject,
        draft=draft,
        author=author,
        team=team,
        then=then,
    )
    if claimed:
        claimed.message = ticket.messages.get()
        claimed.save(update_fields=["message"])
    return ticket
