"""Forms over what the company asks and notes of its tickets: own fields and request forms."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import NamedForm, own_language
from people.models.names import one_line
from tickets.actions.custom_fields import Asked
from tickets.models import Category, CategoryField, CustomField, FieldKind, RequestForm

MOST_CHOICES = 200
#: Rows for new choices that the page offers at a time.
SPARE_ROWS = 3
WITH_CHOICES = (FieldKind.CHOICE, FieldKind.MULTI_CHOICE)


class ChoiceRow(NamedTuple):
    """One choice as the page shows it: its key (empty for a new one) and its names."""

    key: str
    name: str
    names: dict[str, str]


class CustomFieldForm(NamedForm):
    """A field, its choices, and on which categories it is shown."""

    class Meta:
        model = CustomField
        fields = ("name", "key", "kind", "help_text", "is_for_customers")
        labels = {
            "key": gettext_lazy("Key"),
            "help_text": gettext_lazy("Hint below the field"),
            "is_for_customers": gettext_lazy("Customers may see and fill it in"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].required = False
        self.fields["key"].help_text = _(
            "How the API and conditions call it; made from the name when empty. It stays."
        )
        self.fields["kind"].help_text = _("It stays once the field is made.")
        if self.instance.pk:
            self.fields["key"].disabled = self.fields["kind"].disabled = True
        self.tree = Category.objects.in_use().as_tree()
        held = dict(
            CategoryField.objects.filter(field=self.instance.pk or 0).values_list(
                "category_id", "is_required"
            )
        )
        for one in self.tree:
            now = held.get(one.pk)
            self.fields[f"on_{one.pk}"] = forms.ChoiceField(
                label=one.path,
                required=False,
                initial="" if now is None else ("required" if now else "shown"),
                choices=[
                    ("", _("Not shown")),
                    ("shown", _("Shown")),
                    ("required", _("Required to solve")),
                ],
            )

    def value_fields(self) -> list[str]:
        return [*super().value_fields(), "choices"]

    @property
    def may_have_choices(self) -> bool:
        return not self.instance.pk or self.instance.kind in WITH_CHOICES

    @property
    def by_category(self) -> list[forms.BoundField]:
        return [self[f"on_{one.pk}"] for one in self.tree]

    @property
    def choice_rows(self) -> list[ChoiceRow]:
        """What was typed, else what is kept, and a few rows for more."""
        rows = self._typed() if self.is_bound else self._kept()
        return [*rows, *[ChoiceRow("", "", {})] * SPARE_ROWS]

    @property
    def other_languages(self) -> list[tuple[str, str]]:
        return [(code, str(name)) for code, name in settings.LANGUAGES if code != own_language()]

    @property
    def shown_on(self) -> dict[Category, bool]:
        said = {one: self.cleaned_data.get(f"on_{one.pk}") for one in self.tree}
        return {one: how == "required" for one, how in said.items() if how}

    def clean_key(self) -> str:
        if self.instance.pk:
            return str(self.instance.key)
        given: str = self.cleaned_data["key"] or slugify(self.cleaned_data.get("name", ""))
        key = given.replace("-", "_")[:40]
        if not key or not key[0].isalpha():
            raise ValidationError(_("Give it a key of small letters, digits and _."))
        if CustomField.objects.filter(key=key).exists():
            raise ValidationError(_("Another field has the key “%(key)s”.") % {"key": key})
        return key

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        choices = self._choices() if self.cleaned_data.get("kind") in WITH_CHOICES else []
        if self.cleaned_data.get("kind") in WITH_CHOICES and not choices:
            self.add_error(None, _("Give it at least one choice."))
        if len(choices) > MOST_CHOICES:
            self.add_error(None, _("These are more choices than anybody reads."))
        self.cleaned_data["choices"] = choices
        return cleaned

    def _choices(self) -> list[dict[str, Any]]:
        choices: list[dict[str, Any]] = []
        taken = {one["key"] for one in self.instance.choices}
        for row in self._typed():
            key = row.key if row.key in taken else _new_key(row.name, taken)
            taken.add(key)
            choices.append({"key": key, "name": row.name, "names": row.names})
        return choices

    def _typed(self) -> list[ChoiceRow]:
        codes = [code for code, _name in self.other_languages]
        columns = [self.data.getlist(f"choice_{code}") for code in codes]  # type: ignore[attr-defined]
        rows = []
        names = self.data.getlist("choice_name")  # type: ignore[attr-defined]
        keys = self.data.getlist("choice_key")  # type: ignore[attr-defined]
        for at, name in enumerate(names):
            own = {
                code: one_line(column[at], limit=80)
                for code, column in zip(codes, columns, strict=True)
                if at < len(column) and column[at].strip()
            }
            if shown := one_line(name, limit=80):
                rows.append(ChoiceRow(keys[at] if at < len(keys) else "", shown, own))
        return rows

    def _kept(self) -> list[ChoiceRow]:
        return [
            ChoiceRow(one["key"], one["name"], one.get("names") or {})
            for one in self.instance.choices
            if not one.get("archived")
        ]


def _new_key(name: str, taken: set[str]) -> str:
    base = slugify(name).replace("-", "_")[:40] or "choice"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key


class FormForm(NamedForm):
    """A request form: its topics, and what it asks."""

    class Meta:
        model = RequestForm
        fields = ("name", "slug", "introduction", "categories")
        labels = {"categories": gettext_lazy("Topics that it offers")}
        help_texts = {
            "slug": gettext_lazy("The end of its address: /ask/returns/"),
            "categories": gettext_lazy("Without any, it offers them all."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        tree = Category.objects.in_use().as_tree()
        topics = self.fields["categories"]
        topics.required = False
        topics.queryset = Category.objects.in_use()  # type: ignore[attr-defined]
        topics.widget = forms.CheckboxSelectMultiple()
        topics.choices = [(one.pk, one.path) for one in tree]  # type: ignore[attr-defined]
        held: dict[str, str] = self.instance.introductions or {}
        for code, language in settings.LANGUAGES:
            if code != own_language():
                self.fields[f"introduction_{code}"] = forms.CharField(
                    label=_("Introduction in %(language)s") % {"language": language},
                    max_length=300,
                    required=False,
                    initial=held.get(code, ""),
                )
        self._known = list(CustomField.objects.in_use().filter(is_for_customers=True))
        asked = {one.field_id: one for one in self.instance.asked.all()} if self.instance.pk else {}
        when = [("", _("Always")), *((str(one.pk), one.path) for one in tree)]
        for one in self._known:
            now = asked.get(one.pk)
            self.fields[f"ask_{one.pk}"] = forms.ChoiceField(
                label=str(one),
                required=False,
                initial="" if now is None else ("required" if now.is_required else "asked"),
                choices=[
                    ("", _("Not asked")),
                    ("asked", _("Asked")),
                    ("required", _("Required")),
                ],
            )
            self.fields[f"when_{one.pk}"] = forms.TypedChoiceField(
                label=_("When “%(field)s” is asked") % {"field": one},
                required=False,
                empty_value=None,
                coerce={str(row.pk): row for row in tree}.__getitem__,
                initial=str(now.category_id or "") if now else "",
                choices=when,
            )

    def value_fields(self) -> list[str]:
        return [*super().value_fields(), "introductions"]

    @property
    def questions(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"ask_{one.pk}"], self[f"when_{one.pk}"]) for one in self._known]

    @property
    def asks(self) -> list[Asked]:
        return [
            Asked(one, how == "required", self.cleaned_data.get(f"when_{one.pk}"))
            for one in self._known
            if (how := self.cleaned_data.get(f"ask_{one.pk}"))
        ]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("name", ""))[:60]
        if not slug:
            raise ValidationError(_("Give it an address of letters, digits and hyphens."))
        if RequestForm.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Another form has this address."))
        return slug

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        said = {
            code: one_line(self.cleaned_data.get(f"introduction_{code}") or "", limit=300)
            for code, _name in settings.LANGUAGES
        }
        self.cleaned_data["introductions"] = {code: text for code, text in said.items() if text}
        return cleaned
