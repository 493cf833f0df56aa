"""Forms over what tickets are filed under: categories and statuses."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from administration.forms.rows import NamedForm, own_language
from people.models import Team
from people.models.names import one_line
from tickets.models import Category, Priority, Status, StatusCategory
from triage import words
from triage.actions import Recognition

#: No sender's pattern is longer than an address.
LONGEST_PATTERN = 320
_SENDER = re.compile(r"([^\s@*]+@)?[^\s@*.]+(\.[^\s@*.]+)+")


class CategoryForm(NamedForm):
    """A category, where it stands, what follows from it and what it is recognised by."""

    senders = forms.CharField(
        label=gettext_lazy("Senders"),
        required=False,
        help_text=gettext_lazy(
            "Whoever writes from these addresses or domains writes about this; one on each line."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    class Meta:
        model = Category
        fields = ("name", "parent", "team", "priority")
        labels = {
            "parent": gettext_lazy("Stands below"),
            "team": gettext_lazy("Team"),
        }
        help_texts = {
            "team": gettext_lazy("Without one, the team of the category above takes it."),
            "priority": gettext_lazy("Where a request’s words say nothing else."),
        }

    def __init__(self, *args: Any, recognition: Recognition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = recognition or Recognition()
        tree = Category.objects.in_use().as_tree()
        below = _below(self.instance, tree)
        self.fields["parent"] = forms.TypedChoiceField(
            label=self.fields["parent"].label,
            required=False,
            empty_value=None,
            coerce={str(one.pk): one for one in tree}.__getitem__,
            choices=[("", _("Nothing: it stands at the top"))]
            + [(str(one.pk), one.path) for one in tree if one.pk not in below],
        )
        self.fields["team"].queryset = Team.objects.in_use()  # type: ignore[attr-defined]
        self.fields["team"].empty_label = _("The team of the category above")  # type: ignore[attr-defined]
        self.fields["priority"] = forms.TypedChoiceField(
            label=_("Priority"),
            help_text=self.fields["priority"].help_text,
            required=False,
            empty_value=None,
            coerce=lambda value: Priority(int(value)),
            choices=[("", _("As usual")), *Priority.choices],
        )
        for code, language in settings.LANGUAGES:
            self.fields[f"words_{code}"] = forms.CharField(
                label=_("Words in %(language)s") % {"language": language},
                required=False,
                initial="\n".join(known.words.get(code, ())),
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        self.initial["senders"] = "\n".join(known.senders)
        self.order_fields([*(name for name in self.fields if name != "senders"), "senders"])

    @property
    def recognition(self) -> Recognition:
        data = self.cleaned_data
        return Recognition(
            words={code: data[f"words_{code}"] for code, _language in settings.LANGUAGES},
            senders=data["senders"],
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for code, _language in settings.LANGUAGES:
            try:
                self.cleaned_data[f"words_{code}"] = _phrases(
                    self.cleaned_data.get(f"words_{code}", "")
                )
            except ValidationError as error:
                self.add_error(f"words_{code}", error)
        return cleaned

    def clean_senders(self) -> list[str]:
        patterns = [line.strip().lower() for line in self.cleaned_data["senders"].splitlines()]
        for pattern in filter(None, patterns):
            if not _SENDER.fullmatch(pattern) or len(pattern) > LONGEST_PATTERN:
                raise ValidationError(
                    _("“%(pattern)s” is neither an address nor a domain.") % {"pattern": pattern}
                )
        return list(dict.fromkeys(filter(None, patterns)))


def _below(category: Category, tree: list[Category]) -> set[int | None]:
    """The category itself and all that stands below it; the tree names parents first."""
    found: set[int | None] = {category.pk} if category.pk else set()
    for one in tree:
        if one.parent_id in found and found:
            found.add(one.pk)
    return found


def _phrases(text: str) -> list[str]:
    """One phrase on each line, each once."""
    phrases = [one_line(line, limit=80) for line in text.splitlines()]
    for phrase in filter(None, phrases):
        if not words.phrase(phrase):
            raise ValidationError(
                _("“%(phrase)s” has no word that could be looked for.") % {"phrase": phrase}
            )
    return list(dict.fromkeys(filter(None, phrases)))


class StatusForm(NamedForm):
    """A status, as colleagues and as customers read it."""

    class Meta:
        model = Status
        fields = ("name", "category", "customer_name")
        labels = {
            "category": gettext_lazy("It means"),
            "customer_name": gettext_lazy("Customers read"),
        }
        help_texts = {
            "category": gettext_lazy(
                "Times, queues and numbers go by this; it stays once a ticket has the status."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"] = forms.ChoiceField(
            label=self.fields["category"].label,
            help_text=self.fields["category"].help_text,
            choices=StatusCategory.choices,
        )
        held: dict[str, str] = self.instance.customer_names or {}
        for code, language in _others():
            self.fields[f"customer_name_{code}"] = forms.CharField(
                label=_("Customers read in %(language)s") % {"language": language},
                max_length=80,
                required=False,
                initial=held.get(code, ""),
            )

    def value_fields(self) -> list[str]:
        return [*super().value_fields(), "customer_names"]

    def clean_customer_name(self) -> str:
        name = one_line(self.cleaned_data["customer_name"], limit=80)
        if not name:
            raise ValidationError(_("Give it a name for customers."))
        return name

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        names = {
            code: one_line(self.cleaned_data.get(f"customer_name_{code}") or "", limit=80)
            for code, _language in _others()
        }
        self.cleaned_data["customer_names"] = {code: name for code, name in names.items() if name}
        return cleaned


def _others() -> list[tuple[str, Any]]:
    return [(code, name) for code, name in settings.LANGUAGES if code != own_language()]
