"""A company's own fields on a ticket's page: what they are, and where they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from tickets.fields import Definition, definitions, missing
from tickets.models import FieldKind, StatusCategory, Ticket
from workspace.choices import Choices


@dataclass(frozen=True, slots=True)
class Row:
    """One field as the page shows it."""

    definition: Definition
    #: As it is stored, or as it was typed when that could not be stored.
    value: Any
    words: str
    is_required: bool
    error: str = ""
    takes_focus: bool = False

    @property
    def name(self) -> str:
        """Of its input."""
        return f"field-{self.definition.key}"

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """The choices with their names, and whether each is chosen; one that is not offered any
        more is kept where it stands."""
        chosen = self.value if isinstance(self.value, list) else [self.value]
        offered = self.definition.offered
        return [
            (key, name, key in chosen)
            for key, name in self.definition.choices.items()
            if key in offered or key in chosen
        ]


@dataclass(frozen=True, slots=True)
class TicketFields:
    rows: list[Row]
    is_open: bool = False

    @classmethod
    def of(
        cls,
        ticket: Ticket,
        choices: Choices,
        *,
        typed: Mapping[str, Any] | None = None,
        errors: Mapping[str, str] | None = None,
        is_solving: bool = False,
    ) -> Self:
        """The fields that a ticket of this category shows: one query.

        `typed` and `errors` are what a form sent and why it was refused; `is_solving` says that
        somebody just tried to solve the ticket, so that what it lacks is pointed out.
        """
        known = definitions()
        lineage = _lineage(ticket, choices)
        wrong = dict(errors or {})
        if is_solving:
            text = _("Fill this in before you solve it.")
            wrong |= {one.key: text for one in missing(known, ticket.fields, lineage)}
        first = next((one.key for one in known if one.key in wrong), "")
        rows = [
            Row(
                definition=one,
                value=typed.get(one.key) if typed is not None else ticket.fields.get(one.key),
                words=one.words(ticket.fields.get(one.key)),
                is_required=one.is_required(lineage),
                error=wrong.get(one.key, ""),
                takes_focus=one.key == first,
            )
            for one in known
            if one.is_shown(lineage)
        ]
        return cls(rows, is_open=bool(wrong) or typed is not None)

    @classmethod
    def after(cls, request: HttpRequest, ticket: Ticket, choices: Choices) -> Self:
        """As `of`; beside the refusal of what wanted to solve the ticket, with what it lacks."""
        return cls.of(ticket, choices, is_solving=_wanted_to_solve(request, ticket, choices))

    @property
    def filled(self) -> list[Row]:
        return [row for row in self.rows if row.words]

    @property
    def lacking(self) -> int:
        """How many a ticket lacks to be solved."""
        return sum(row.is_required and not row.words for row in self.rows)


def sent_values(data: QueryDict, known: list[Definition]) -> dict[str, Any]:
    """What a form sent for the fields that it shows; a box that is not ticked sends nothing."""
    shown = set(data.getlist("shown"))
    values: dict[str, Any] = {}
    for one in known:
        if one.key in shown:
            given = data.getlist(f"field-{one.key}")
            is_many = one.kind == FieldKind.MULTI_CHOICE
            values[one.key] = given if is_many else (given[-1] if given else "")
    return values


def _lineage(ticket: Ticket, choices: Choices) -> list[int]:
    found: list[int] = []
    category = ticket.category_id
    while category and category not in found:
        found.append(category)
        known = choices.categories.get(category)
        category = known.parent if known else None
    return found


def _wanted_to_solve(request: HttpRequest, ticket: Ticket, choices: Choices) -> bool:
    if request.method != "POST" or ticket.is_over:
        return False
    if request.POST.get("then") == StatusCategory.SOLVED:
        return True
    value = request.POST.get("value", "")
    if request.POST.get("property") != "status" or not (value.isascii() and value.isdigit()):
        return False
    status = choices.statuses.get(int(value[:18]))
    return status is not None and status.detail == StatusCategory.SOLVED
