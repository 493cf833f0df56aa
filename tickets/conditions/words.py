"""A condition as a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from people.models import Team, User
from tickets.conditions.fields import Fields
from tickets.conditions.kinds import OPERATORS, Field, Kind
from tickets.conditions.language import Condition, Test
from tickets.conditions.values import as_moment
from tickets.models import Category, Status


@dataclass(frozen=True, slots=True)
class Names:
    """What the rows are called that conditions refer to, by kind and id, in the page's language."""

    by_kind: Mapping[str, Mapping[int, str]]

    @classmethod
    def load(cls) -> Self:
        return cls(
            {
                "status": {row.pk: str(row) for row in Status.objects.all()},
                "category": {row.pk: row.path for row in Category.objects.as_tree()},
                "team": {row.pk: str(row) for row in Team.objects.all()},
                "user": {row.pk: row.name for row in User.objects.get_queryset()},
            }
        )

    def of(self, kind: str, pk: int) -> str:
        return self.by_kind.get(kind, {}).get(pk) or _("something that no longer exists")


def described(condition: Condition, names: Names, fields: Fields | None = None) -> str:
    """“Status category is New or Open, and Priority is Urgent”; empty for every ticket."""
    return _said(condition, names, fields or Fields(), is_inner=False)


def _said(condition: Condition, names: Names, fields: Fields, *, is_inner: bool) -> str:
    if isinstance(condition, Test):
        return _test(condition, names, fields)
    parts = [_said(part, names, fields, is_inner=True) for part in condition.parts]
    parts = [part for part in parts if part]
    joined = (_(", and ") if condition.is_all else _(", or ")).join(parts)
    return f"({joined})" if is_inner and len(parts) > 1 else joined


def _test(test: Test, names: Names, fields: Fields) -> str:
    try:
        field = fields[test.field]
    except KeyError:
        return _("something that no longer exists")
    operator = OPERATORS[test.operator]
    if test.value is None:
        return f"{field.label} {operator}"
    kind = field.operators[test.operator][0]
    return f"{field.label} {operator} {_value(test.value, kind, field, names)}"


def _value(value: Any, kind: Kind, field: Field, names: Names) -> str:
    if kind is Kind.SPAN:
        return span_in_words(value)
    if kind is Kind.FLAG:
        return _("yes") if value else _("no")
    if kind is Kind.DAY or (kind is Kind.MOMENT and len(value) == 10):
        return formats.date_format(as_moment(value), "DATE_FORMAT")
    if kind is Kind.MOMENT:
        return formats.date_format(as_moment(value), "DATETIME_FORMAT")
    if kind is Kind.NUMBER:
        return formats.number_format(value)
    if kind is Kind.TEXT:
        return f"“{value}”"
    chosen = {key: str(label) for key, label in field.options}
    said = [
        names.of(field.rows, one) if isinstance(one, int) else chosen.get(one, one) for one in value
    ]
    return _list(said)


def _list(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return _("%(first)s or %(last)s") % {"first": ", ".join(words[:-1]), "last": words[-1]}


def span_in_words(span: Mapping[str, int]) -> str:
    """“7 days”."""
    [(unit, number)] = span.items()
    return {
        "minutes": ngettext("%(number)d minute", "%(number)d minutes", number),
        "hours": ngettext("%(number)d hour", "%(number)d hours", number),
        "days": ngettext("%(number)d day", "%(number)d days", number),
        "weeks": ngettext("%(number)d week", "%(number)d weeks", number),
    }[unit] % {"number": number}
