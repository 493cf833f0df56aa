"""Who may open a ticket: the one rule, asked from every side.

A manager opens all, an agent those of their teams, those without a team, and those assigned to
them; who has left opens none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Q, QuerySet

from people.models import Membership, User
from people.models.users import sees_every_ticket

if TYPE_CHECKING:
    from tickets.models import Ticket

Tickets = TypeVar("Tickets", bound="QuerySet[Ticket]")


def open_to(user: User, tickets: Tickets) -> Tickets:
    """Those of the tickets that the user may open: `Ticket.objects.visible_to`."""
    if not user.is_active:
        return tickets.none()
    if user.is_manager:
        return tickets
    return tickets.filter(
        Q(team=None) | Q(team__in=user.memberships.values("team")) | Q(assignee=user)
    )


def readers(ticket: Ticket) -> QuerySet[User]:
    """The colleagues who may open the ticket."""
    active = User.objects.active()
    if ticket.team_id is None:
        return active
    members = Membership.objects.filter(team=ticket.team_id).values("user")
    return active.filter(sees_every_ticket() | Q(pk__in=members) | Q(pk=ticket.assignee_id))


def is_open_to(
    user: int, *, sees_all: bool, teams: Collection[int], team: int | None, assignee: int | None
) -> bool:
    """Whether somebody who works here and is on these teams may open a ticket of this team and
    assignee: for who asks so often that no query can be asked each time."""
    return sees_all or team is None or team in teams or assignee == user
