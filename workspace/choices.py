"""The words that a ticket's page offers and explains: statuses, categories, teams, colleagues."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Value, When

from people.models import Membership, Team, User
from people.models.names import in_language
from people.models.users import sees_every_ticket
from tickets.models import Category, Status
from workspace.statement import Statement

EVERY, OWN = "every", "own"


@dataclass(slots=True)
class Choice:
    """One row of the company's vocabulary. `detail` is a status's category, or of which teams a
    user may hold tickets: every one's, their own, or (empty) none, of somebody who has left."""

    pk: int
    name: str
    detail: str = ""
    parent: int | None = None
    position: int = 0
    teams: list[int] = field(default_factory=list)
    #: Tickets may have it still; it is not offered any more.
    is_archived: bool = False


@dataclass
class Choices:
    """The whole vocabulary of the company, in the language of the page."""

    statuses: dict[int, Choice]
    categories: dict[int, Choice]
    teams: dict[int, Choice]
    users: dict[int, Choice]

    @classmethod
    def load(cls) -> Self:
        """Everything in one query, because a ticket's page needs a little of each."""
        kinds: dict[str, dict[int, Choice]] = {"s": {}, "c": {}, "t": {}, "u": {}}
        for kind, pk, name, names, detail, parent, position, teams, gone in _everything().ask():
            shown = in_language(name, names) if names else name
            kinds[kind][pk] = Choice(pk, shown, detail, parent, position, teams or [], gone)
        return cls(
            statuses=_sorted(kinds["s"]),
            categories=_as_paths(kinds["c"]),
            teams=_sorted(kinds["t"]),
            users=_sorted(kinds["u"]),
        )

    def assignable(self, *, team: int | None) -> list[Choice]:
        """Who may hold a ticket of this team: its members and whoever sees every ticket; the same
        rule as `tickets.actions.assign.may_hold`."""
        return [
            user
            for user in self.users.values()
            if user.detail and (team is None or team in user.teams or user.detail == EVERY)
        ]


@cache
def _everything() -> Statement:
    no_number = Value(None, models.BigIntegerField())
    no_teams = Value([], ArrayField(models.BigIntegerField()))
    no_names = Value({}, models.JSONField())
    text = models.CharField()

    def columns(rows: models.QuerySet[Any], kind: str, **given: Any) -> models.QuerySet[Any]:
        wanted = {
            "c_kind": Value(kind, text),
            "c_pk": F("pk"),
            "c_name": F("name"),
            "c_names": F("names"),
            "c_detail": Value("", text),
            "c_parent": no_number,
            "c_position": F("position"),
            "c_teams": no_teams,
            "c_gone": Q(archived_at__isnull=False),
        } | given
        named: models.QuerySet[Any] = rows.order_by().annotate(**wanted).values_list(*wanted)
        return named

    members = Membership.objects.filter(user=OuterRef("pk")).order_by().values("team_id")
    reach = Case(
        When(is_active=False, then=Value("")),
        When(sees_every_ticket(), then=Value(EVERY)),
        default=Value(OWN),
        output_field=text,
    )
    query = columns(Status.objects.all(), "s", c_detail=F("category")).union(
        columns(Category.objects.all(), "c", c_parent=F("parent_id")),
        columns(Team.objects.all(), "t"),
        columns(
            User.objects.get_queryset(),
            "u",
            c_names=no_names,
            c_detail=reach,
            c_position=Value(0, models.IntegerField()),
            c_teams=ArraySubquery(members),
            c_gone=Value(False),
        ),
        all=True,
    )
    return Statement.of(query)


def _sorted(choices: dict[int, Choice]) -> dict[int, Choice]:
    ordered = sorted(choices.values(), key=lambda one: (one.position, one.name.casefold(), one.pk))
    return {one.pk: one for one in ordered}


def _as_paths(categories: dict[int, Choice]) -> dict[int, Choice]:
    """Parents before their children, each called by its whole path: “Billing › Refund”."""
    children: dict[int | None, list[Choice]] = {}
    for one in _sorted(categories).values():
        children.setdefault(one.parent, []).append(one)
    tree: dict[int, Choice] = {}

    def walk(parent: int | None, path: str) -> None:
        for one in children.get(parent, ()):
            one.name = f"{path} › {one.name}" if path else one.name
            tree[one.pk] = one
            walk(one.pk, one.name)

    walk(None, "")
    return tree
