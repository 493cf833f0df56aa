"""Forms over one row of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.db.models import Model
from django.http import QueryDict
from django.utils.translation import gettext as _

from people.audit import fingerprint
from people.models.names import one_line

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Row = TypeVar("Row", bound=Model, default=Any)
    _ModelForm = forms.ModelForm
else:
    from typing import TypeVar

    Row = TypeVar("Row", bound=Model)

    class _ModelForm(forms.ModelForm):
        """Django's own, which takes the type of its row for the type checker only."""

        def __class_getitem__(cls, row: type[Model]) -> type[forms.ModelForm]:
            return cls


class RowForm(_ModelForm[Row]):
    """A form over some fields of a row. It carries the fingerprint of what its reader saw, and is
    never saved by itself: `values` goes to `people.rows.write_row` or to an action of its own."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            is_line = isinstance(field.widget, forms.TextInput) and name != "seen"
            if is_line:
                field.widget.attrs.setdefault("autocomplete", "off")
        self.fingerprint = (
            fingerprint(self.instance, self.value_fields()) if self.instance.pk else ""
        )
        self.initial["seen"] = self.fingerprint

    @property
    def has_rich_text(self) -> bool:
        """Whether the page needs the rich-text editor."""
        return any("data-rich" in field.widget.attrs for field in self.fields.values())

    def value_fields(self) -> list[str]:
        """The fields of the row that the form sets."""
        return list(self._meta.fields or ())

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.value_fields()}

    def see(self, row: Model) -> None:
        """Let the form, with all that was typed, be sent against the row as it is now."""
        data: Mapping[str, Any] = self.data
        if isinstance(data, QueryDict):
            data = data.copy()
            data["seen"] = fingerprint(row, self.value_fields())
            self.data = data


class NamedForm(RowForm[Row]):
    """A form over a row that has a name in every language: `name`, and `name_it` and so on for
    those that are not the product's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names: dict[str, str] = getattr(self.instance, "names", None) or {}
        others = [(code, name) for code, name in settings.LANGUAGES if code != own_language()]
        for code, language in others:
            self.fields[f"name_{code}"] = forms.CharField(
                label=_("Name in %(language)s") % {"language": language},
                max_length=self.fields["name"].max_length,  # type: ignore[attr-defined]
                required=False,
                initial=names.get(code, ""),
            )
        order = [name for name in self.fields if not name.startswith("name_")]
        at = order.index("name") + 1
        order[at:at] = [f"name_{code}" for code, _language in others]
        self.order_fields(order)

    def value_fields(self) -> list[str]:
        return [*super().value_fields(), "names"]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        held = dict(getattr(self.instance, "names", None) or {})
        for code, _language in settings.LANGUAGES:
            if f"name_{code}" in self.fields:
                name = one_line(data.get(f"name_{code}") or "", limit=80)
                held.pop(code, None)
                if name:
                    held[code] = name
        data["names"] = held
        return data

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=80)
        if not name:
            raise forms.ValidationError(_("Give it a name."))
        return name


def own_language() -> str:
    return settings.LANGUAGE_CODE.split("-")[0]
