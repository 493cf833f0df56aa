"""Checking a condition and compiling it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from people.models import User
from tickets.conditions.fields import OWN, Fields
from tickets.conditions.kinds import OPERATORS, NobodyReads
from tickets.conditions.values import InvalidCondition
from tickets.models.tickets import TicketQuerySet

DEEPEST = 5
MOST_TESTS = 50


@dataclass(frozen=True, slots=True)
class Test:
    """One field, one operator, and the value as it was read."""

    field: str
    operator: str
    value: Any = None

    def as_json(self) -> dict[str, Any]:
        given = {"field": self.field, "operator": self.operator}
        return given if self.value is None else given | {"value": self.value}


@dataclass(frozen=True, slots=True)
class Group:
    """All of its parts, or any of them. Without parts it holds for every ticket."""

    is_all: bool
    parts: tuple[Test | Group, ...] = ()

    def as_json(self) -> dict[str, Any]:
        if not self.parts:
            return {}
        return {"all" if self.is_all else "any": [part.as_json() for part in self.parts]}


Condition = Test | Group
EVERYTHING = Group(is_all=True)


def check(data: Any, fields: Fields | None = None) -> Group:
    """Read a condition. Raises `InvalidCondition` with a sentence for each thing that is wrong."""
    problems: list[str] = []
    count = [0]
    fields = fields or Fields()

    def group(data: Mapping[Any, Any], depth: int) -> Group:
        if depth > DEEPEST:
            raise InvalidCondition(
                _("Groups stand in groups at most %(number)d deep.") % {"number": DEEPEST}
            )
        if len(data) != 1 or next(iter(data)) not in ("all", "any"):
            raise InvalidCondition(_("A group is written {“all”: […]} or {“any”: […]}."))
        [(word, parts)] = data.items()
        if not isinstance(parts, list):
            raise InvalidCondition(_("A group holds a list of conditions."))
        read = []
        for part in parts:
            if found := condition(part, depth + 1):
                read.append(found)
        if not read and not problems and depth > 1:
            raise InvalidCondition(_("A group holds one condition at least."))
        return Group(word == "all", tuple(read))

    def condition(data: Any, depth: int) -> Condition | None:
        if not isinstance(data, Mapping):
            problems.append(_("A condition is an object with field, operator and value."))
            return None
        if "all" in data or "any" in data:
            return group(data, depth)
        count[0] += 1
        if count[0] > MOST_TESTS:
            raise InvalidCondition(
                _("At most %(number)d conditions at once.") % {"number": MOST_TESTS}
            )
        try:
            return test(data)
        except InvalidCondition as error:
            problems.extend(error.problems)
            return None

    def test(data: Mapping[Any, Any]) -> Test:
        if not set(data) <= {"field", "operator", "value"}:
            raise InvalidCondition(_("A condition is an object with field, operator and value."))
        name, operator = data.get("field"), data.get("operator")
        try:
            field = fields[name] if isinstance(name, str) else None
        except KeyError:
            field = None
        if field is None:
            raise InvalidCondition(_("There is no field “%(name)s”.") % {"name": _short(name)})
        if not isinstance(operator, str) or operator not in field.operators:
            raise InvalidCondition(
                _("“%(field)s” has no operator “%(name)s”; it has: %(names)s.")
                % {
                    "field": field.label,
                    "name": _short(operator),
                    "names": ", ".join(field.operators),
                }
            )
        read = field.operators[operator][1]
        if read is None:
            return Test(field.name, operator)
        try:
            return Test(field.name, operator, read(data.get("value")))
        except InvalidCondition as error:
            raise InvalidCondition(
                *(f"{field.label} {OPERATORS[operator]}: {one}" for one in error.problems)
            ) from None

    if not isinstance(data, Mapping):
        raise InvalidCondition(_("A group is written {“all”: […]} or {“any”: […]}."))
    if not data:
        return EVERYTHING
    if "all" in data or "any" in data:
        read = group(data, 1)
    else:
        alone = condition(data, 1)
        read = Group(is_all=True, parts=(alone,) if alone else ())
    if problems:
        raise InvalidCondition(*dict.fromkeys(problems))
    return read if read.parts else EVERYTHING


def compiled(condition: Condition, *, reader: User | None, fields: Fields | None = None) -> Q:
    """The condition as one filter, “me” being the reader. Raises `InvalidCondition` when it speaks
    of a field that has gone, or of “me” where nobody reads."""
    fields = fields or Fields()

    def q(condition: Condition) -> Q:
        if isinstance(condition, Group):
            joined = Q()
            for part in condition.parts:
                joined = joined & q(part) if condition.is_all else joined | q(part)
            return joined
        try:
            build = fields[condition.field].build
        except KeyError:
            raise InvalidCondition(
                _("There is no field “%(name)s”.") % {"name": condition.field}
            ) from None
        return build(condition.operator, condition.value, reader)

    try:
        return q(condition)
    except NobodyReads:
        raise InvalidCondition(_("“me” is nobody here: name the colleague.")) from None


def matching(tickets: TicketQuerySet, condition: Any, *, reader: User | None) -> TicketQuerySet:
    """Those of the tickets for which the condition, JSON or checked, holds.

    Raises `InvalidCondition`.
    """
    fields = Fields()
    checked = condition if isinstance(condition, Test | Group) else check(condition, fields)
    return tickets.filter(compiled(checked, reader=reader, fields=fields))


def names_own_fields(data: Any) -> bool:
    """Whether a condition speaks of a field of the company's own, which may be gone or mean
    something else another day."""
    if isinstance(data, Mapping):
        return str(data.get("field", "")).startswith(OWN) or any(
            map(names_own_fields, data.values())
        )
    return isinstance(data, list) and any(map(names_own_fields, data))


def _short(given: Any) -> str:
    return str(given)[:60]
