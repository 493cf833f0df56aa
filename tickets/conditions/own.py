"""The company's own fields in conditions: a key goes to PostgreSQL as a value, not as a lookup."""

from __future__ import annotations

from typing import Any

from django.db.models import JSONField, Q, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, IContains, LessThan
from django.utils.functional import Promise

from people.models import User
from tickets.conditions import values
from tickets.conditions.kinds import EMPTINESS, Field, Kind, Read


def own(name: str, label: str, kind: str, options: list[tuple[str, str | Promise]]) -> Field:
    """A custom field by its kind."""
    key = name.removeprefix("fields.")

    def is_set() -> Q:
        return Q(fields__has_key=key)

    def same(value: Any) -> Q:
        # What the index of the whole column answers.
        return Q(fields__contains={key: value})

    def written() -> Combinable:
        return Coalesce(KeyTextTransform(key, "fields"), Value("", TextField()))

    def build(operator: str, value: Any, reader: User | None) -> Q:
        match operator:
            case "is_set":
                return is_set()
            case "is_empty":
                return ~is_set()
            case "contains":
                return Q(IContains(written(), value))
            case "does_not_contain":
                return ~Q(IContains(written(), value))
            case "less_than":
                return is_set() & Q(
                    LessThan(KeyTransform(key, "fields"), Value(value, JSONField()))
                )
            case "more_than":
                return (
                    is_set()
                    & ~Q(LessThan(KeyTransform(key, "fields"), Value(value, JSONField())))
                    & ~same(value)
                )
            case "before":
                return is_set() & Q(LessThan(written(), value))
            case "after":
                return is_set() & Q(GreaterThanOrEqual(written(), value))
            case "has_all":
                return same(value)
        found = Q(pk__in=[])
        for one in value if isinstance(value, list) else [value]:
            found |= same([one] if operator in ("has_any", "has_none") else one)
        return ~found if operator in ("is_not", "has_none") else found

    choose = values.one_of([key for key, _label in options])
    many = (Kind.CHOICES, lambda value: values.several(value, choose))
    text_, day = (Kind.TEXT, values.text), (Kind.DAY, values.day)
    operators: dict[str, dict[str, tuple[Kind, Read | None]]] = {
        "text": {"is": text_, "is_not": text_, "contains": text_, "does_not_contain": text_},
        "number": {
            "is": (Kind.NUMBER, values.number),
            "less_than": (Kind.NUMBER, values.number),
            "more_than": (Kind.NUMBER, values.number),
        },
        "date": {"is": day, "before": day, "after": day},
        "choice": {"is": many, "is_not": many},
        "multi_choice": {"has_any": many, "has_all": many, "has_none": many},
        "checkbox": {"is": (Kind.FLAG, values.yes_or_no)},
    }
    if kind == "checkbox":
        # An empty box is not written down.
        def build_box(operator: str, value: Any, reader: User | None) -> Q:
            ticked = same(value=True)
            return ticked if value else ~ticked

        return Field(name, label, operators[kind], build_box)
    return Field(name, label, operators[kind] | EMPTINESS, build, options)
