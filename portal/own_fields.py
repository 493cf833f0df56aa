"""The company's own fields on a request form: what is asked, and what the customer answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from portal.fields import OneLine
from tickets.fields import LONGEST_TEXT, Definition, FieldsAreWrong, checked, definitions
from tickets.models import FieldKind, RequestForm, RequestFormField


@dataclass(frozen=True, slots=True)
class Question:
    """That a form asks a field; with a category only of whoever chose it or one below it."""

    definition: Definition
    is_required: bool
    category_id: int | None

    @property
    def name(self) -> str:
        """Of the input on the page."""
        return f"own_{self.definition.key}"

    def is_asked(self, lineage: list[int]) -> bool:
        return self.category_id is None or self.category_id in lineage


def questions(form: RequestForm) -> list[Question]:
    """What the form asks, in its order: fields that customers may see and that are in use."""
    known = {one.key: one for one in definitions() if one.is_for_customers}
    rows = RequestFormField.objects.filter(form=form).select_related("field")
    return [
        Question(known[row.field.key], row.is_required, row.category_id)
        for row in rows
        if row.field.key in known
    ]


def input_for(question: Question) -> forms.Field:
    """The form field with which a customer answers."""
    definition = question.definition
    given: dict[str, Any] = {
        "label": definition.name,
        "help_text": definition.help_text,
        "required": question.is_required,
    }
    offered = list(definition.offered.items())
    required = {"required": _("Please fill this in.")}
    match definition.kind:
        case FieldKind.CHOICE:
            return forms.ChoiceField(
                **given,
                choices=[("", _("Choose one")), *offered],
                error_messages={
                    "required": _("Please choose one."),
                    "invalid_choice": _("This choice is gone. Please choose another."),
                },
            )
        case FieldKind.MULTI_CHOICE:
            return forms.MultipleChoiceField(
                **given,
                choices=offered,
                widget=forms.CheckboxSelectMultiple,
                error_messages={
                    "required": _("Please choose at least one."),
                    "invalid_choice": _("This choice is gone. Please choose again."),
                },
            )
        case FieldKind.CHECKBOX:
            return forms.BooleanField(**given, error_messages=required)
        case FieldKind.DATE:
            return OneLine(
                **given,
                error_messages=required,
                widget=forms.TextInput(attrs={"type": "date"}),
            )
        case FieldKind.NUMBER:
            return OneLine(
                **given,
                error_messages=required,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )
    return OneLine(
        **given,
        max_length=LONGEST_TEXT,
        error_messages={**required, "max_length": _("This is longer than we can take.")},
    )


def answers(
    asked: list[Question], cleaned: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What the ticket gets of what was typed, and for each input that cannot be taken why not."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for question in asked:
        if question.name not in cleaned:
            continue
        key = question.definition.key
        try:
            value = checked({key: cleaned[question.name]}, [question.definition])[key]
        except FieldsAreWrong as error:
            wrong.append((question.name, error.errors[key]))
        else:
            if value is not None:
                values[key] = value
    return values, wrong
