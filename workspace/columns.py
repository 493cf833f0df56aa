"""What a list of tickets can show of each, and be ordered by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import FloatField, TextField
from django.db.models.expressions import Expression
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people.models import Tier
from people.models.names import in_language
from tickets.models import Channel, CustomField, FieldKind, Mark, Priority, TicketType
from workspace.keyset import Key, Order, Sort

OWN = "fields."
#: Custom fields are ordered by a value of this name.
OWN_VALUE = "own_value"
OWN_GROUP = "own_group"

DEFAULT = ("subject", "customer", "status", "priority", "assignee", "team", "last_message_at")


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    label: str | Promise
    #: The values of a ticket that it shows.
    needs: tuple[str, ...]
    #: What it says of a row: text, or a moment.
    show: Callable[[Any], str | datetime | None]
    #: By what it is ordered; nothing where it cannot be.
    lookup: str = ""
    sort: Sort = "text"
    is_nullable: bool = False
    #: Whether one rather reads it from the last to the first.
    is_descending: bool = False
    #: How it looks: "", "status", "priority", "tags", "moment", "due", "number".
    look: str = ""
    value: Expression | None = None

    def key(self, *, is_descending: bool, lookup: str = "") -> Key:
        return Key(lookup or self.lookup, self.sort, is_descending, self.is_nullable)


def _named(prefix: str) -> Callable[[Any], str]:
    name, names = f"{prefix}__name", f"{prefix}__names"

    def show(row: Any) -> str:
        found = getattr(row, name)
        return in_language(found, getattr(row, names)) if found else ""

    return show


def _word(attribute: str, choices: Iterable[tuple[Any, Any]]) -> Callable[[Any], str]:
    words = dict(choices)
    return lambda row: str(words.get(getattr(row, attribute), ""))


def _plain(attribute: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, attribute) or ""


def _moment(
    name: str, label: str | Promise, *, is_nullable: bool = False, look: str = "moment"
) -> Column:
    return Column(
        name,
        label,
        (name,),
        lambda row: getattr(row, name),
        name,
        "moment",
        is_nullable,
        is_descending=not is_nullable,
        look=look,
    )


_STANDARD = {
    column.name: column
    for column in (
        Column(
            "number",
            _("Number"),
            ("number",),
            lambda row: f"#{row.number}",
            "number",
            "number",
            is_descending=True,
            look="number",
        ),
        Column("subject", _("Subject"), ("subject",), _plain("subject"), "subject"),
        Column(
            "customer", _("Customer"), ("customer__name",), _plain("customer__name"),
            "customer__name",
        ),
        Column(
            "organisation",
            _("Organisation"),
            ("customer__organisation__name",),
            _plain("customer__organisation__name"),
            "customer__organisation__name",
            is_nullable=True,
        ),
        Column(
            "tier",
            _("Tier"),
            ("customer__tier",),
            _word("customer__tier", Tier.choices),
            "customer__tier",
        ),
        Column(
            "status",
            _("Status"),
            ("status__name", "status__names", "status__position", "status_category"),
            _named("status"),
            "status__position",
            "number",
            look="status",
        ),
        Column(
            "priority",
            _("Priority"),
            ("priority",),
            _word("priority", Priority.choices),
            "priority",
            "number",
            is_descending=True,
            look="priority",
        ),
        Column(
            "category",
            _("Category"),
            ("category__name", "category__names"),
            _named("category"),
            "category__name",
            is_nullable=True,
        ),
        Column("type", _("Type"), ("type",), _word("type", TicketType.choices), "type"),
        Column("tags", _("Tags"), ("tags",), lambda row: ", ".join(row.tags), look="tags"),
        Column(
            "team",
            _("Team"),
            ("team__name", "team__names"),
            _named("team"),
            "team__name",
            is_nullable=True,
        ),
        Column(
            "assignee",
            _("Assignee"),
            ("assignee__name",),
            _plain("assignee__name"),
            "assignee__name",
            is_nullable=True,
        ),
        Column(
            "channel", _("Channel"), ("channel",), _word("channel", Channel.choices), "channel"
        ),
        Column(
            "language",
            _("Language"),
            ("language",),
            _word("language", settings.LANGUAGES),
            "language",
        ),
        Column("mark", _("Mark"), ("mark",), _word("mark", Mark.choices), "mark"),
        _moment("created_at", _("Created")),
        _moment("updated_at", _("Last change")),
        _moment("last_message_at", _("Last message")),
        _moment("waiting_since", _("Waiting since"), is_nullable=True),
        _moment("due_at", _("Due"), is_nullable=True, look="due"),
        _moment("solved_at", _("Solved at"), is_nullable=True),
        _moment("snoozed_until", _("Snoozed until"), is_nullable=True),
    )
}  # fmt: skip


class Columns:
    """The standard columns, and the company's own fields once one of them is asked for."""

    def __init__(self) -> None:
        self._own: dict[str, Column] | None = None

    def __iter__(self) -> Iterator[Column]:
        yield from _STANDARD.values()
        yield from self._fields().values()

    def get(self, name: str) -> Column | None:
        if name.startswith(OWN):
            return self._fields().get(name)
        return _STANDARD.get(name)

    def named(self, names: Iterable[str]) -> list[Column]:
        """Those of the names that exist, after the subject, which is the link."""
        return [column for name in dict.fromkeys(("subject", *names)) if (column := self.get(name))]

    def order(self, sort: str, group_by: str = "") -> Order:
        """What "-last_message_at" means; an unknown name means the newest message first."""
        column = self.get(sort.removeprefix("-"))
        if column is None or not column.lookup:
            sort, column = "-last_message_at", _STANDARD["last_message_at"]
        group = self.get(group_by) if group_by else None
        by_group = None
        if group and group.lookup and group.name != column.name:
            lookup = OWN_GROUP if group.value else ""
            by_group = group.key(is_descending=group.is_descending, lookup=lookup)
        return Order(column.key(is_descending=sort.startswith("-")), by_group)

    def values(self, sort: str, group_by: str = "") -> dict[str, Expression]:
        """What a query must be annotated with to be ordered so."""
        named = {OWN_VALUE: self.get(sort.removeprefix("-")), OWN_GROUP: self.get(group_by)}
        return {name: column.value for name, column in named.items() if column and column.value}

    def _fields(self) -> dict[str, Column]:
        if self._own is None:
            rows = CustomField.objects.in_use()
            self._own = {column.name: column for column in map(_own, rows)}
        return self._own


def _own(field: CustomField) -> Column:
    key, kind = field.key, field.kind
    words = {
        str(one["key"]): in_language(str(one["name"]), one.get("names") or {})
        for one in field.choices
    }

    def show(row: Any) -> str:
        value = row.fields.get(key)
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return "✓" if value else ""
        if isinstance(value, list):
            return ", ".join(words.get(str(one), str(one)) for one in value)
        if isinstance(value, int | float):
            return formats.number_format(value)
        return words.get(str(value), str(value))

    text: Expression = KeyTextTransform(key, "fields")
    is_number = kind == FieldKind.NUMBER
    return Column(
        OWN + key,
        str(field),
        ("fields",),
        show,
        OWN_VALUE,
        "number" if is_number else "text",
        is_nullable=True,
        look="number" if is_number else "",
        value=Cast(text, FloatField()) if is_number else Cast(text, TextField()),
    )


@lru_cache(maxsize=1)
def sortable() -> frozenset[str]:
    """The standard columns by which a list can be ordered."""
    return frozenset(name for name, column in _STANDARD.items() if column.lookup)
