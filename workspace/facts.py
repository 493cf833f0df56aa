"""What is said about a ticket at its head, and what each of it may be changed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _

from people.models import User
from tickets.models import Priority, StatusCategory, Ticket, TicketType
from workspace.choices import Choices


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    name: str
    is_current: bool
    #: A heading above it, where a new group begins.
    group: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One property that is changed where it stands."""

    property: str
    name: str
    #: What it is now, in words.
    value: str
    options: list[Option]
    key: str = ""
    is_set: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    status: Fact
    priority: Fact
    category: Fact
    type: Fact
    team: Fact
    assignee: Fact
    #: The statuses to which “Solve” and “Reopen” lead.
    solved: int
    reopened: int

    @classmethod
    def of(cls, ticket: Ticket, choices: Choices, *, user: User) -> Self:
        return cls(
            status=_status(ticket, choices),
            priority=_priority(ticket),
            category=_category(ticket, choices),
            type=_type(ticket),
            team=_team(ticket, choices),
            assignee=_assignee(ticket, choices, user),
            solved=_first(choices, StatusCategory.SOLVED),
            reopened=_first(choices, StatusCategory.OPEN),
        )

    def __iter__(self) -> Iterator[Fact]:
        yield self.status
        yield self.priority
        yield self.category
        yield self.type
        yield self.team
        yield self.assignee


def _first(choices: Choices, category: StatusCategory) -> int:
    return next(
        (
            one.pk
            for one in choices.statuses.values()
            if one.detail == category and not one.is_archived
        ),
        0,
    )


def _status(ticket: Ticket, choices: Choices) -> Fact:
    now = choices.statuses[ticket.status_id]
    return Fact(
        "status",
        _("Status"),
        now.name,
        [
            Option(str(one.pk), one.name, one.pk == ticket.status_id)
            for one in choices.statuses.values()
            if one.pk == ticket.status_id
            or (
                one.detail not in (StatusCategory.NEW, StatusCategory.CLOSED)
                and not one.is_archived
            )
        ],
        key="s",
    )


def _priority(ticket: Ticket) -> Fact:
    now = Priority(ticket.priority)
    return Fact(
        "priority",
        _("Priority"),
        str(now.label),
        [Option(one.slug, str(one.label), one == now) for one in reversed(Priority)],
        key="p",
    )


def _category(ticket: Ticket, choices: Choices) -> Fact:
    now = choices.categories.get(ticket.category_id) if ticket.category_id else None
    return Fact(
        "category",
        _("Category"),
        now.name if now else _("No category"),
        [Option("", _("No category"), now is None)]
        + [
            Option(str(one.pk), one.name, one.pk == ticket.category_id)
            for one in choices.categories.values()
            if one.pk == ticket.category_id or not one.is_archived
        ],
        key="y",
        is_set=now is not None,
    )


def _type(ticket: Ticket) -> Fact:
    now = TicketType(ticket.type)
    return Fact(
        "type",
        _("Type"),
        str(now.label),
        [Option(one.value, str(one.label), one == now) for one in TicketType],
        key="",
    )


def _team(ticket: Ticket, choices: Choices) -> Fact:
    now = choices.teams.get(ticket.team_id) if ticket.team_id else None
    return Fact(
        "team",
        _("Team"),
        now.name if now else _("No team"),
        [Option("", _("No team"), now is None)]
        + [
            Option(str(one.pk), one.name, one.pk == ticket.team_id)
            for one in choices.teams.values()
            if one.pk == ticket.team_id or not one.is_archived
        ],
        key="Shift+t",
        is_set=now is not None,
    )


def _assignee(ticket: Ticket, choices: Choices, user: User) -> Fact:
    now = choices.users.get(ticket.assignee_id) if ticket.assignee_id else None
    others = choices.assignable(team=ticket.team_id)
    mine = [one for one in others if one.pk == user.pk]
    options = [Option(str(one.pk), _("Me"), one.pk == ticket.assignee_id) for one in mine]
    options.append(Option("", _("Nobody"), now is None))
    options += [
        Option(str(one.pk), one.name, one.pk == ticket.assignee_id)
        for one in others
        if one.pk != user.pk
    ]
    return Fact(
        "assignee",
        _("Assignee"),
        now.name if now else _("Nobody"),
        options,
        key="a",
        is_set=now is not None,
    )
