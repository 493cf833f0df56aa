"""What the settings write about teams in more than one room at once."""

from __future__ import annotations

from django.db import transaction

from people.models import Team, User
from people.rows import archive_row
from tickets.actions import move_to_team
from tickets.actions.vocabulary import save_category
from tickets.actor import Actor
from tickets.models import Category, Ticket


class SameTeam(Exception):
    """The team's work cannot go to the team itself, nor to one that is out of use."""


@transaction.atomic
def retire_team(team: Team, *, to: Team | None, actor: User) -> int:
    """Put a team out of use; its open tickets, and the categories that name it, go to another one
    or to none. Returns how many tickets moved. Raises `SameTeam`."""
    if to is not None and (to.pk == team.pk or to.archived_at):
        raise SameTeam(to)
    tickets = Ticket.objects.open().filter(team=team).order_by("pk")
    for ticket in tickets:
        move_to_team(ticket, to=to, actor=Actor.user(actor))
    for category in Category.objects.filter(team=team).order_by("pk"):
        save_category(category, {"team": to}, actor=actor)
    archive_row(team, actor=actor)
    return len(tickets)
