"""A company's own fields: which a ticket shows, which it needs, and what a value may be."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from people.models.names import in_language, one_line
from tickets.models import Category, CategoryField, CustomField, FieldKind

LONGEST_TEXT = 500
LARGEST_NUMBER = 10**15


@dataclass(frozen=True, slots=True)
class Definition:
    """One field, its words in the language of the page."""

    key: str
    kind: str
    name: str
    help_text: str = ""
    is_for_customers: bool = False
    #: The choices' keys and names, in their order; those in `gone` are kept but not offered.
    choices: dict[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    #: The categories that name it, and whether their tickets need it; without any, all show it.
    categories: dict[int, bool] = field(default_factory=dict)

    @property
    def offered(self) -> dict[str, str]:
        """The choices that one can still make."""
        return {key: name for key, name in self.choices.items() if key not in self.gone}

    def is_shown(self, lineage: Collection[int]) -> bool:
        """On tickets of a category with these ids: its own and those above it."""
        return not self.categories or any(pk in self.categories for pk in lineage)

    def is_required(self, lineage: Collection[int]) -> bool:
        return any(self.categories.get(pk, False) for pk in lineage)

    def words(self, value: Any) -> str:
        """A stored value as a person reads it; empty for none."""
        if value is None:
            return ""
        if self.kind == FieldKind.MULTI_CHOICE and isinstance(value, list):
            return ", ".join(self.choices.get(str(one), str(one)) for one in value)
        if self.kind == FieldKind.CHECKBOX:
            return _("Yes")
        if self.kind == FieldKind.CHOICE:
            return self.choices.get(str(value), str(value))
        if self.kind == FieldKind.DATE:
            try:
                return date_format(date.fromisoformat(value), "DATE_FORMAT")
            except (TypeError, ValueError):
                return str(value)
        if self.kind == FieldKind.NUMBER and isinstance(value, int | float):
            return number_format(value, use_l10n=True)
        return str(value)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            key=row["key"],
            kind=row["kind"],
            name=in_language(row["name"], row["names"]),
            help_text=row["help_text"],
            is_for_customers=row["is_for_customers"],
            choices={
                str(one["key"]): in_language(str(one["name"]), one.get("names") or {})
                for one in row["choices"]
            },
            gone=frozenset(str(one["key"]) for one in row["choices"] if one.get("archived")),
            categories={one["category"]: one["required"] for one in row["of"] or ()},
        )


def definitions() -> list[Definition]:
    """Every field in use, in the company's order: one query, written once."""
    sql, values = _asking()
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = [one for (one,) in cursor.fetchall()]
    return [Definition.read(json.loads(row) if isinstance(row, str) else row) for row in rows]


@cache
def _asking() -> tuple[str, tuple[Any, ...]]:
    of = CategoryField.objects.filter(field=OuterRef("pk")).order_by()
    query = CustomField.objects.in_use().values_list(
        JSONObject(
            key="key",
            kind="kind",
            name="name",
            names="names",
            help_text="help_text",
            is_for_customers="is_for_customers",
            choices="choices",
            of=ArraySubquery(
                of.values_list(JSONObject(category="category_id", required="is_required"))
            ),
        )
    )
    sql, values = query.query.sql_with_params()
    return sql, tuple(values)


def lineage(category_id: int | None) -> list[int]:
    """The category and those above it, by id."""
    parents = dict(Category.objects.values_list("pk", "parent_id")) if category_id else {}
    found: list[int] = []
    while category_id and category_id not in found:
        found.append(category_id)
        category_id = parents.get(category_id)
    return found


def missing(
    known: Iterable[Definition], values: Mapping[str, Any], of: Collection[int]
) -> list[Definition]:
    """The fields that a ticket of these categories needs before it is solved and does not have."""
    return [one for one in known if one.is_required(of) and values.get(one.key) is None]


# -- What a value may be -------------------------------------------------------------------------


class FieldsAreWrong(Exception):
    """Values that their fields cannot take: a sentence for each, by the field's key."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


def checked(values: Mapping[str, Any], known: Iterable[Definition]) -> dict[str, Any]:
    """The values as they are stored, `None` for an empty one.

    Takes what JSON holds and what a form sends. Raises `FieldsAreWrong`, for unknown keys too.
    """
    by_key = {one.key: one for one in known}
    kept: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for key, value in values.items():
        definition = by_key.get(key)
        if definition is None:
            errors[key] = _("There is no such field.")
            continue
        try:
            kept[key] = _CHECKS[definition.kind](definition, value)
        except ValueError as error:
            errors[key] = str(error)
    if errors:
        raise FieldsAreWrong(errors)
    return kept


def _text(definition: Definition, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(_("Write a text."))
    if len(str(value)) > LONGEST_TEXT:
        raise ValueError(_("Write at most %(limit)d characters.") % {"limit": LONGEST_TEXT})
    return one_line(str(value), limit=LONGEST_TEXT) or None


def _number(definition: Definition, value: Any) -> int | float | None:
    if value is None or value == "":
        return None
    message = _("Write a number, such as 12 or 12.5.")
    if isinstance(value, str):
        text = value.strip()
        # As it is written in Italian and Romanian too; what could mean either is not guessed.
        if "," in text and "." not in text and text.count(",") == 1:
            text = text.replace(",", ".")
        try:
            value = float(text) if "." in text else int(text)
        except ValueError:
            raise ValueError(message) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(message)
    if not math.isfinite(value) or abs(value) >= LARGEST_NUMBER:
        raise ValueError(_("This number is too large."))
    return int(value) if float(value).is_integer() else float(value)


def _date(definition: Definition, value: Any) -> str | None:
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, str) or len(value) != len("2026-11-22"):
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(_("Write a date as year-month-day, such as 2026-11-22.")) from None


def _choice(definition: Definition, value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in definition.choices:
        raise ValueError(_("Choose one of the choices."))
    return value


def _choices(definition: Definition, value: Any) -> list[str] | None:
    given = [] if value is None or value == "" else value
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list | tuple):
        raise ValueError(_("Choose among the choices."))
    chosen = [one for one in given if one != ""]
    if any(not isinstance(one, str) or one not in definition.choices for one in chosen):
        raise ValueError(_("Choose among the choices."))
    return [key for key in definition.choices if key in chosen] or None


def _checkbox(definition: Definition, value: Any) -> bool | None:
    if value in (None, "", False, "false", "off", "0"):
        return None
    if value in (True, "true", "on", "1"):
        return True
    raise ValueError(_("Say yes or no: true or false."))


_CHECKS = {
    FieldKind.TEXT.value: _text,
    FieldKind.NUMBER.value: _number,
    FieldKind.DATE.value: _date,
    FieldKind.CHOICE.value: _choice,
    FieldKind.MULTI_CHOICE.value: _choices,
    FieldKind.CHECKBOX.value: _checkbox,
}
