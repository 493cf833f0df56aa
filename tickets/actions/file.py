from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction

from people.models import Team
from tickets import history
from tickets.actions.assign import who_lets_go
from tickets.actions.versions import locked_for_change
from tickets.actor import Actor
from tickets.models import Category, Kind, Priority, Ticket

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Decision(Generic[Value]):
    """What was decided, and why, as the event of the change says it."""

    to: Value
    reason: Any = None


@transaction.atomic
def file_ticket(
    ticket: Ticket,
    *,
    actor: Actor,
    category: Decision[Category] | None = None,
    priority: Decision[Priority] | None = None,
    team: Decision[Team] | None = None,
) -> Ticket:
    """Say at once what the ticket is about, how soon it needs us and whose it is: one new version,
    with an event for each decision that changes something. Raises `TicketIsClosed`.
    """
    ticket = locked_for_change(ticket)
    made: list[tuple[Kind, Any, Any, Any]] = []
    if category and category.to.pk != ticket.category_id:
        before, ticket.category = ticket.category_id, category.to
        made.append((Kind.CATEGORY_CHANGED, before, category.to.pk, category.reason))
    if priority and priority.to != ticket.priority:
        weighed, ticket.priority = Priority(ticket.priority), priority.to
        made.append((Kind.PRIORITY_CHANGED, weighed.slug, priority.to.slug, priority.reason))
    if team and team.to.pk != ticket.team_id:
        before, ticket.team = ticket.team_id, team.to
        made.append((Kind.TEAM_CHANGED, before, team.to.pk, team.reason))
        if let_go := who_lets_go(ticket):
            ticket.assignee = None
            made.append((Kind.ASSIGNED, let_go.pk, None, None))
    if made:
        ticket.save_change("category", "priority", "team", "assignee")
    for kind, before, after, reason in made:
        why = {} if kind == Kind.ASSIGNED else {"reason": reason}
        history.record(ticket, kind, actor=actor, before=before, after=after, **why)
    return ticket
