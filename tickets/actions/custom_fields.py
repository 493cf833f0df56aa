"""What the company asks and notes of its tickets: its own fields, and the forms that ask them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from people.audit import record_change
from people.models import User
from people.rows import write_row
from tickets.models import Category, CategoryField, CustomField, RequestForm, RequestFormField


class KindIsFixed(Exception):
    """A field's key and kind stay: tickets hold values of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """That a form asks a field: always, or once the customer has chosen a category."""

    field: CustomField
    is_required: bool = False
    category: Category | None = None

    def __str__(self) -> str:
        said = self.field.name
        if self.category:
            said = f"{said} ({self.category.name})"
        return f"{said} *" if self.is_required else said


@transaction.atomic
def save_field(
    field: CustomField,
    values: Mapping[str, Any],
    *,
    shown_on: Mapping[Category, bool],
    actor: User,
    seen: str = "",
) -> CustomField:
    """Write a field, and on which categories it is shown (true: required to solve; none: on all).

    Choices that are gone from a field stay known as archived, since tickets may hold them. Raises
    `KindIsFixed`, or `people.rows.RowHasChanged`.
    """
    if field.pk:
        kept = CustomField.objects.select_for_update().get(pk=field.pk)
        if any(values.get(name, getattr(kept, name)) != getattr(kept, name) for name in _FIXED):
            raise KindIsFixed
        values = {**values, "choices": _with_gone(kept.choices, values.get("choices", []))}
    field = write_row(field, values, actor=actor, seen=seen)
    before = _shown(field)
    CategoryField.objects.filter(field=field).delete()
    CategoryField.objects.bulk_create(
        CategoryField(field=field, category=category, is_required=is_required)
        for category, is_required in shown_on.items()
    )
    record_change(
        actor, "changed", field, before={"shown_on": before}, after={"shown_on": _shown(field)}
    )
    return field


_FIXED = ("key", "kind")


@transaction.atomic
def save_form(
    form: RequestForm,
    values: Mapping[str, Any],
    *,
    asks: Sequence[Asked],
    actor: User,
    seen: str = "",
) -> RequestForm:
    """Write a request form with what it asks, in order. Raises `people.rows.RowHasChanged`."""
    form = write_row(form, values, actor=actor, seen=seen)
    before = _asks(form)
    RequestFormField.objects.filter(form=form).delete()
    RequestFormField.objects.bulk_create(
        RequestFormField(
            form=form,
            field=one.field,
            category=one.category,
            is_required=one.is_required,
            position=position,
        )
        for position, one in enumerate(asks)
    )
    record_change(actor, "changed", form, before={"asks": before}, after={"asks": _asks(form)})
    return form


def _with_gone(
    kept: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    named = {choice["key"] for choice in given}
    gone = [{**choice, "archived": True} for choice in kept if choice["key"] not in named]
    return [*given, *gone]


def _shown(field: CustomField) -> list[str]:
    rows = CategoryField.objects.filter(field=field).select_related("category").order_by("category")
    return [f"{row.category.name}{' *' if row.is_required else ''}" for row in rows]


def _asks(form: RequestForm) -> list[str]:
    rows = RequestFormField.objects.filter(form=form).select_related("field", "category")
    return [str(Asked(row.field, row.is_required, row.category)) for row in rows]
