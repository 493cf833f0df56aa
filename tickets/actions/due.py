from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tickets import history
from tickets.actions.versions import locked_for_change
from tickets.actor import Actor
from tickets.models import Kind, Ticket


@transaction.atomic
def set_due(
    ticket: Ticket, *, to: datetime | None, actor: Actor, seen: int | None = None
) -> Ticket:
    """Say by when the ticket should be done, or (`None`) that it has no such time. One that is past
    is late from the beginning. Raises `TicketIsClosed` or `TicketHasChanged`."""
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.due_at == to:
        return ticket
    before, ticket.due_at = ticket.due_at, to
    ticket.save_change("due_at")
    history.record(ticket, Kind.DUE_CHANGED, actor=actor, before=_told(before), after=_told(to))
    return ticket


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
