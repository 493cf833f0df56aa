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
    if fresh.is_closed:
        raise TicketIsClosed(fresh)
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


def _keep_loaded(fresh: Ticket, known: Ticket) -> None:
    """Give the fresh row what the caller has loaded already and what it still refers to, so that a
    chain of changes in one transaction does not read the same few rows again and again."""
    for name in ("status", "team", "category", "assignee"):
        is_same = getattr(fresh, f"{name}_id") == getattr(known, f"{name}_id")
        if is_same and name in known._state.fields_cache:
            setattr(fresh, name, getattr(known, name))
