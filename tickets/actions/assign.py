from __future__ import annotations

from typing import Any

from django.db import transaction

from people.models import Team, User
from tickets import history
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.models import Kind, Ticket


class NotOnTeam(TicketRefusal):
    """The ticket's team has no such active member."""


@transaction.atomic
def assign_ticket(
    ticket: Ticket, *, to: User | None, actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Hand the ticket to somebody, or to nobody (`to=None`).

    Raises `TicketIsClosed`, `TicketHasChanged`, or `NotOnTeam` when `to` does not work for the
    ticket's team. Managers may take any ticket.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.assignee_id == (to.pk if to else None):
        return ticket
    if to and not may_hold(to, ticket.team):
        raise NotOnTeam(ticket)
    before, ticket.assignee = ticket.assignee_id, to
    ticket.save_change("assignee")
    history.record(
        ticket, Kind.ASSIGNED, actor=actor, before=before, after=ticket.assignee_id, reason=reason
    )
    return ticket


@transaction.atomic
def move_to_team(
    ticket: Ticket, *, to: Team | None, actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Put the ticket into another team's queue; an assignee who is not on that team lets go.

    Raises `TicketIsClosed` or `TicketHasChanged`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.team_id == (to.pk if to else None):
        return ticket
    before, ticket.team = ticket.team_id, to
    let_go = who_lets_go(ticket)
    if let_go:
        ticket.assignee = None
    ticket.save_change("team", "assignee")
    history.record(
        ticket, Kind.TEAM_CHANGED, actor=actor, before=before, after=ticket.team_id, reason=reason
    )
    if let_go:
        history.record(ticket, Kind.ASSIGNED, actor=actor, before=let_go.pk, after=None)
    return ticket


def who_lets_go(ticket: Ticket) -> User | None:
    """The assignee, when they may not hold the ticket of the team that it has now."""
    holder = ticket.assignee
    return holder if holder and not may_hold(holder, ticket.team) else None


def may_hold(user: User, team: Team | None) -> bool:
    """Whether the user may be the assignee of a ticket of this team."""
    if not user.is_active:
        return False
    return user.is_manager or team is None or team.memberships.filter(user=user).exists()
