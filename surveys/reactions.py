"""What this room owes when something happens to a ticket."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from surveys import actions
from tickets import history
from tickets.models import Event, Kind, Ticket


@receiver(history.recorded, dispatch_uid="surveys")
def note_what_is_owed(event: Event, ticket: Ticket, **kwargs: Any) -> None:
    if event.kind == Kind.SOLVED:
        actions.owe_survey(ticket)
    elif event.kind == Kind.REOPENED:
        actions.withdraw_survey(ticket)
