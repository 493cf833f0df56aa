"""What this room owes when something happens to a ticket."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from messaging import actions
from tickets import history
from tickets.models import Event, Kind, Ticket


@receiver(history.recorded, dispatch_uid="messaging")
def note_what_is_owed(event: Event, ticket: Ticket, **kwargs: Any) -> None:
    if event.message is None or event.message.is_automatic:
        return
    if event.kind == Kind.MESSAGE_SENT:
        actions.owe_reply(event.message)
    elif event.kind == Kind.NOTE_ADDED and event.message.recipients:
        actions.owe_forward(event.message)
    elif event.kind == Kind.MESSAGE_RECEIVED:
        actions.owe_acknowledgement(event.message)
