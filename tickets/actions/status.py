from __future__ import annotations

from typing import Any

from django.db import transaction

from tickets import clock, history
from tickets.actions.fields import check_fields
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.models import Kind, Status, StatusCategory, Ticket


class StatusIsLeftToTime(TicketRefusal):
    """Nobody closes a ticket by hand: a solved one closes when its time to reopen is over."""


class NotSolved(TicketRefusal):
    """Only a solved ticket can be closed."""


@transaction.atomic
def set_status(
    ticket: Ticket, *, to: Status, actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Move the ticket to another status; solving and reopening are two cases of it.

    Raises `TicketIsClosed`, `TicketHasChanged`, `StatusIsLeftToTime` for a status in `closed`, or
    `FieldsAreMissing` when a colleague solves what lacks a required field; a customer who says
    that it is solved, and a rule, are not asked for fields.
    """
    ticket = locked_for_change(ticket, seen=seen)
    check_choosable(ticket, to, is_by_colleague=actor.as_user is not None)
    return change_status(ticket, to=to, actor=actor, reason=reason)


def solve_ticket(ticket: Ticket, *, actor: Actor, seen: int | None = None) -> Ticket:
    """Declare the work done. Raises `TicketIsClosed`, `TicketHasChanged` or `FieldsAreMissing`."""
    return set_status(ticket, to=_default(StatusCategory.SOLVED), actor=actor, seen=seen)


def reopen_ticket(
    ticket: Ticket, *, actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Take a ticket up again that was solved or waits for somebody.

    Raises `TicketIsClosed` or `TicketHasChanged`.
    """
    to = _default(StatusCategory.OPEN)
    return set_status(ticket, to=to, actor=actor, seen=seen, reason=reason)


@transaction.atomic
def close_ticket(ticket: Ticket, *, actor: Actor) -> Ticket:
    """Lock a solved ticket. Raises `TicketIsClosed`, or `NotSolved`."""
    ticket = locked_for_change(ticket)
    if ticket.status_category != StatusCategory.SOLVED:
        raise NotSolved(ticket)
    return change_status(ticket, to=_default(StatusCategory.CLOSED), actor=actor)


def check_choosable(ticket: Ticket, status: Status, *, is_by_colleague: bool = True) -> None:
    """Raise `StatusIsLeftToTime` when nobody may choose the status for the ticket, and
    `FieldsAreMissing` when a colleague may not yet."""
    if status.category == StatusCategory.CLOSED:
        raise StatusIsLeftToTime(ticket)
    if is_by_colleague and status.category == StatusCategory.SOLVED and not ticket.is_over:
        check_fields(ticket)


def change_status(ticket: Ticket, *, to: Status, actor: Actor, reason: Any = None) -> Ticket:
    """Change the status of a ticket that the caller has locked, and record what it means."""
    if ticket.status_id == to.pk:
        return ticket
    before = ticket.status
    ticket.status, ticket.status_category = to, to.category
    now_over = StatusCategory(to.category).is_over
    was_over = StatusCategory(before.category).is_over
    if to.category == StatusCategory.CLOSED:
        ticket.closed_at = clock.now()
    elif now_over and not was_over:
        ticket.solved_at = clock.now()
        ticket.waiting_since = None
        ticket.snoozed_at = ticket.snoozed_until = None
    elif was_over and not now_over:
        ticket.solved_at = ticket.closed_at = None
    ticket.save_change(
        "status",
        "status_category",
        "solved_at",
        "closed_at",
        "waiting_since",
        "snoozed_at",
        "snoozed_until",
    )
    history.record(
        ticket,
        _kind(was_over=was_over, now_over=now_over, to=to),
        actor=actor,
        before={"id": before.pk, "category": before.category},
        after={"id": to.pk, "category": to.category},
        reason=reason,
    )
    return ticket


def _kind(*, was_over: bool, now_over: bool, to: Status) -> Kind:
    if to.category == StatusCategory.CLOSED:
        return Kind.CLOSED
    if now_over and not was_over:
        return Kind.SOLVED
    if was_over and not now_over:
        return Kind.REOPENED
    return Kind.STATUS_CHANGED


def _default(category: StatusCategory) -> Status:
    return Status.objects.default_for(category)
