from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tickets import clock, history
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.models import Kind, Ticket


class NothingToSnooze(TicketRefusal):
    """A solved ticket waits for nothing."""


class IsInThePast(TicketRefusal):
    """A ticket is put aside until a moment that is still to come."""


@transaction.atomic
def snooze_ticket(
    ticket: Ticket, *, until: datetime | None, actor: Actor, seen: int | None = None
) -> Ticket:
    """Take the ticket out of the queues until a moment, or (`None`) until the customer writes; a
    message by the customer always brings it back.

    Raises `TicketIsClosed`, `TicketHasChanged`, `NothingToSnooze` or `IsInThePast`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.is_over:
        raise NothingToSnooze(ticket)
    if until is not None and until <= clock.now():
        raise IsInThePast(ticket)
    if ticket.is_snoozed and ticket.snoozed_until == until:
        return ticket
    ticket.snoozed_at, ticket.snoozed_until = clock.now(), until
    ticket.save_change("snoozed_at", "snoozed_until")
    told = until.isoformat() if until else None
    history.record(ticket, Kind.SNOOZED, actor=actor, until=told)
    return ticket


@transaction.atomic
def wake_ticket(ticket: Ticket, *, actor: Actor, seen: int | None = None) -> Ticket:
    """Bring a snoozed ticket back. Raises `TicketIsClosed` or `TicketHasChanged`."""
    ticket = locked_for_change(ticket, seen=seen)
    return wake(ticket, actor=actor) if ticket.is_snoozed else ticket


def wake(ticket: Ticket, *, actor: Actor) -> Ticket:
    """Bring back a snoozed ticket that the caller has locked."""
    ticket.snoozed_at = ticket.snoozed_until = None
    ticket.save_change("snoozed_at", "snoozed_until")
    history.record(ticket, Kind.WOKEN, actor=actor)
    return ticket
