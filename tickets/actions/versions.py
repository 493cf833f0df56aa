"""Loading a ticket for a change, and the refusals that every change shares."""

from __future__ import annotations

from tickets.models import Ticket


class TicketRefusal(Exception):
    """A change that the ticket does not allow. The exception's class states the fact."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(f"{type(self).__name__}: #{ticket.number}")
        self.ticket = ticket


class TicketIsClosed(TicketRefusal):
    """A closed ticket stays as it is; a reply to it opens a follow-up."""


class TicketIsMerged(TicketIsClosed):
    """Its conversations went on in another ticket, `ticket.merged_into`."""


class TicketHasChanged(TicketRefusal):
    """Somebody changed the ticket since the version that this change was made on."""

    def __init__(self, ticket: Ticket, *, seen: int) -> None:
        super().__init__(ticket)
        self.seen = seen


def locked_for_change(ticket: Ticket, *, seen: int | None = None) -> Ticket:
    """The ticket's newest state, locked until the transaction ends.

    `seen` is the version on the page from which the change comes; rules and imports have none.
    Raises `TicketHasChanged` when it is not the newest, and `TicketIsClosed`.
    """
    fresh = locked_though_closed(ticket, seen=seen)
    check_open(fresh)
    return fresh


def locked_though_closed(ticket: Ticket, *, seen: int | None = None) -> Ticket:
    """As `locked_for_change`, for the few changes that a closed ticket takes too.

    Raises `TicketHasChanged`.
    """
    fresh = Ticket.objects.locked().get(pk=ticket.pk)
    if seen is not None and seen != fresh.version:
        raise TicketHasChanged(fresh, seen=seen)
    _keep_loaded(fresh, ticket)
    return fresh


def both_locked(one: Ticket, two: Ticket) -> tuple[Ticket, Ticket]:
    """The newest state of two tickets, locked in the order of their keys, so that two changes that
    concern the same two never wait for one another for ever."""
    rows = Ticket.objects.locked().filter(pk__in={one.pk, two.pk}).order_by("pk")
    fresh = {ticket.pk: ticket for ticket in rows}
    return fresh[one.pk], fresh[two.pk]


def check_seen(ticket: Ticket, seen: int | None) -> None:
    """Raise `TicketHasChanged` when the locked ticket is newer than the page that was looked at."""
    if seen is not None and seen != ticket.version:
        raise TicketHasChanged(ticket, seen=seen)


def check_open(ticket: Ticket) -> None:
    """Raise `TicketIsMerged` or `TicketIsClosed` for a locked ticket that stays as it is."""
    if ticket.merged_into_id:
        raise TicketIsMerged(ticket)
    if ticket.is_closed:
        raise TicketIsClosed(ticket)


def _keep_loaded(fresh: Ticket, known: Ticket) -> None:
    """Give the fresh row what the caller has loaded already and what it still refers to, so that a
    chain of changes in one transaction does not read the same few rows again and again."""
    for name in ("status", "team", "category", "assignee"):
        is_same = getattr(fresh, f"{name}_id") == getattr(known, f"{name}_id")
        if is_same and name in known._state.fields_cache:
            setattr(fresh, name, getattr(known, name))
