"""The form over the company's own words for one kind of mail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from administration.forms.rows import RowForm
from messaging.email.kinds import DESIGNS
from messaging.email.words import Words, own_words
from messaging.models import MailTemplate
from messaging.templates import FIELDS, faults, taken
from people.models.names import one_line
from tickets.rich_text import for_editor

LONGEST_TEXT = 50_000


class MailTemplateForm(RowForm[MailTemplate]):
    """It begins with `words`: what the mail says now."""

    class Meta:
        model = MailTemplate
        fields = FIELDS

    def __init__(self, *args: Any, words: Words, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = words.kind
        self.design = DESIGNS[self.kind]
        self.initial["subject"] = words.subject
        self.initial["html"] = for_editor(words.html, lambda key: "")
        self.initial["link_label"] = words.link_label
        self.fields["html"] = forms.CharField(
            label=_("Words"),
            required=False,
            max_length=LONGEST_TEXT,
            widget=forms.Textarea(attrs={"rows": 12, "data-rich": "", "dir": "auto"}),
        )
        self.fields["subject"].help_text = _("Empty: the shipped one.")
        self.fields["link_label"].help_text = _("What the link is called.")
        if self.design.subject is None:
            del self.fields["subject"]
        if "link" not in self.design.variables:
            del self.fields["link_label"]
        self.initial["seen"] = self.fingerprint

    def value_fields(self) -> list[str]:
        return list(FIELDS)

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name, "") for name in FIELDS}

    @property
    def words(self) -> Words:
        """What the mail would say; also of a form that is refused, as far as it goes."""
        return own_words(MailTemplate(kind=self.kind, **self.given))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        data = self.cleaned_data if cleaned is None else cleaned
        data["subject"] = one_line(data.get("subject") or "", limit=250)
        data["link_label"] = one_line(data.get("link_label") or "", limit=80)
        data["html"] = taken(data.get("html") or "")
        self.given = {name: data[name] for name in FIELDS}
        self.faults = list(faults(self.kind, **self.given))
        refused = set(self.errors)
        for field, sentence in self.faults:
            if field in self.fields and field not in refused:
                self.add_error(field, sentence)
        return data
