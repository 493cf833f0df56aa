"""What a field of a condition can be: its operators, the values that they take, and the filter that
the two become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from people.models import User
from tickets.conditions import values
from tickets.conditions.tree import IsBelow
from tickets.models import Category, Follower

Read = Callable[[Any], Any]


class Kind(StrEnum):
    """How a value is asked for."""

    NOTHING = "nothing"
    CHOICES = "choices"
    WORDS = "words"
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    SPAN = "span"
    FLAG = "flag"


#: Every operator there is, in words that stand between a field and a value.
OPERATORS: dict[str, str | Promise] = {
    "is": _("is"),
    "is_not": _("is not"),
    "contains": _("contains"),
    "does_not_contain": _("does not contain"),
    "has_any": _("has any of"),
    "has_all": _("has all of"),
    "has_none": _("has none of"),
    "less_than": _("is less than"),
    "more_than": _("is more than"),
    "before": _("is before"),
    "after": _("is from"),
    "in_last": _("is in the last"),
    "not_in_last": _("is longer ago than"),
    "in_next": _("is in the next"),
    "is_set": _("is set"),
    "is_empty": _("is empty"),
}


class NobodyReads(Exception):
    """The condition speaks of “me”, and nobody in particular reads."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something of a ticket that a condition can speak of."""

    name: str
    label: str | Promise
    #: By operator: how its value is asked for, and how it is read.
    operators: Mapping[str, tuple[Kind, Read | None]]
    #: (operator, value, reader) → the filter.
    build: Callable[[str, Any, User | None], Q]
    #: What can be chosen, where that is known without the database: [(value, name)].
    options: list[tuple[str, str | Promise]] = field(default_factory=list)
    #: Where the choices are rows: "status", "category", "team", "user".
    rows: str = ""
    #: The heading under which the builder offers it.
    group: str | Promise = ""


EMPTINESS: dict[str, tuple[Kind, Read | None]] = {
    "is_set": (Kind.NOTHING, None),
    "is_empty": (Kind.NOTHING, None),
}


def choice(
    name: str,
    label: str | Promise,
    options: list[tuple[str, str | Promise]],
    *,
    lookup: str = "",
    stored: Callable[[str], Any] = str,
    is_complete: bool = True,
) -> Field:
    """One of a fixed set of words. Where a constraint says that there are no others, “is not” asks
    for the rest, so that it finds the indexes of the few."""
    path = lookup or name

    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator == "is_not" and is_complete:
            value = [key for key, _label in options if key not in value]
        found = Q(**{f"{path}__in": [stored(one) for one in value]})
        return ~found if operator == "is_not" and not is_complete else found

    read = values.one_of([key for key, _label in options])
    many = (Kind.CHOICES, lambda value: values.several(value, read))
    return Field(name, label, {"is": many, "is_not": many}, build, options)


def reference(
    name: str,
    label: str | Promise,
    *,
    rows: str,
    special: Mapping[str, str | Promise] | None = None,
    is_nullable: bool = True,
) -> Field:
    """A row that the ticket refers to. “me”, “my_teams” and “nobody” are the reader's."""
    words = dict(special or {})

    def meant(one: int | str, reader: User | None) -> Q:
        if one == "nobody":
            return Q(**{name: None})
        if one == "me":
            return Q(**{name: _present(reader).pk})
        if one == "my_teams":
            return Q(**{f"{name}__in": _present(reader).memberships.values("team")})
        return Q(**{name: one})

    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator in EMPTINESS:
            return Q(**{f"{name}__isnull": operator == "is_empty"})
        ids = [one for one in value if isinstance(one, int)]
        found = Q(**{f"{name}__in": ids}) if ids else Q(pk__in=[])
        for one in value:
            if not isinstance(one, int):
                found |= meant(one, reader)
        return ~found if operator == "is_not" else found

    read = values.reference(*words)
    many = (Kind.CHOICES, lambda value: values.several(value, read))
    operators: dict[str, tuple[Kind, Read | None]] = {"is": many, "is_not": many}
    return Field(
        name,
        label,
        operators | (EMPTINESS if is_nullable else {}),
        build,
        list(words.items()),
        rows,
    )


def _present(reader: User | None) -> User:
    if reader is None:
        raise NobodyReads
    return reader


def category(name: str, label: str | Promise) -> Field:
    """A category with everything below it in the tree."""

    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator in EMPTINESS:
            return Q(**{f"{name}__isnull": operator == "is_empty"})
        found = Q(IsBelow(F(f"{name}_id"), Category, value))
        return Q(**{name: None}) | ~found if operator == "is_not" else found

    many = (Kind.CHOICES, lambda value: values.several(value, values.reference()))
    return Field(name, label, {"is": many, "is_not": many, **EMPTINESS}, build, rows="category")


def tags(name: str, label: str | Promise) -> Field:
    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator in EMPTINESS:
            return Q(**{name: []}) if operator == "is_empty" else ~Q(**{name: []})
        given = [one.lower() for one in value]
        if operator == "has_all":
            return Q(**{f"{name}__contains": given})
        found = Q(**{f"{name}__overlap": given})
        return ~found if operator == "has_none" else found

    many: tuple[Kind, Read | None] = (Kind.WORDS, values.words)
    operators = {"has_any": many, "has_all": many, "has_none": many}
    return Field(name, label, operators | EMPTINESS, build)


def text(name: str, label: str | Promise) -> Field:
    def build(operator: str, value: Any, reader: User | None) -> Q:
        found = Q(**{f"{name}__icontains": value})
        return ~found if operator == "does_not_contain" else found

    one: tuple[Kind, Read | None] = (Kind.TEXT, values.text)
    return Field(name, label, {"contains": one, "does_not_contain": one}, build)


def name_of(name: str, label: str | Promise, *, lookup: str) -> Field:
    """A row that people know by its name; case does not count."""

    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator in EMPTINESS:
            return Q(**{f"{lookup}__isnull": operator == "is_empty"})
        found = Q(**{f"{lookup}__iexact": value})
        return ~found if operator == "is_not" else found

    one: tuple[Kind, Read | None] = (Kind.TEXT, values.text)
    return Field(name, label, {"is": one, "is_not": one, **EMPTINESS}, build)


def moment(
    name: str, label: str | Promise, *, is_nullable: bool = False, has_future: bool = False
) -> Field:
    """A point in time. “In the last three days” is worked out by PostgreSQL, when it is asked."""

    def build(operator: str, value: Any, reader: User | None) -> Q:
        if operator in EMPTINESS:
            return Q(**{f"{name}__isnull": operator == "is_empty"})
        if operator == "before":
            return Q(**{f"{name}__lt": values.as_moment(value)})
        if operator == "after":
            return Q(**{f"{name}__gte": values.as_moment(value)})
        length = values.as_span(value)
        if operator == "in_next":
            return Q(**{f"{name}__gte": Now(), f"{name}__lte": Now() + length})
        if operator == "not_in_last":
            return Q(**{f"{name}__lt": Now() - length})
        return Q(**{f"{name}__gte": Now() - length, f"{name}__lte": Now()})

    at, length = (Kind.MOMENT, values.moment), (Kind.SPAN, values.span)
    operators: dict[str, tuple[Kind, Read | None]] = {
        "in_last": length,
        "not_in_last": length,
        **({"in_next": length} if has_future else {}),
        "before": at,
        "after": at,
        **(EMPTINESS if is_nullable else {}),
    }
    return Field(name, label, operators, build)


def flag(name: str, label: str | Promise, *, yes: Q) -> Field:
    def build(operator: str, value: Any, reader: User | None) -> Q:
        return yes if value else ~yes

    return Field(name, label, {"is": (Kind.FLAG, values.yes_or_no)}, build)


def follower(name: str, label: str | Promise) -> Field:
    def build(operator: str, value: Any, reader: User | None) -> Q:
        users = [_present(reader).pk if one == "me" else one for one in value]
        found = Q(Exists(Follower.objects.filter(ticket=OuterRef("pk"), user__in=users)))
        return ~found if operator == "is_not" else found

    many = (Kind.CHOICES, lambda value: values.several(value, values.reference("me")))
    return Field(name, label, {"is": many, "is_not": many}, build, [("me", _("Me"))], rows="user")
