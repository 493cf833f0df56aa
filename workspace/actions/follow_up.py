"""What the desk writes in one go."""

from __future__ import annotations

from django.db import transaction

from messaging.intake import claim_key
from people.models import User
from tickets.actions import MessageDraft, follow_up
from tickets.models import Ticket


@transaction.atomic
def send_follow_up(ticket: Ticket, *, draft: MessageDraft, author: User, key: str) -> Ticket:
    """Open the follow-up of a closed ticket; the same key again is the same follow-up."""
    claimed, earlier = claim_key(key)
    if earlier:
        return earlier.ticket
    message = follow_up(ticket, draft=draft, author=author)
    if claimed:
        claimed.message = message
        claimed.save(update_fields=["message"])
    return message.ticket
