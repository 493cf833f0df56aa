"""The forms of one's own profile."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from administration.forms.rows import RowForm
from administration.forms.signature import shown, taken
from people.models import User
from people.models.names import one_line


class ProfileForm(RowForm[User]):
    class Meta:
        model = User
        fields = ("name", "language", "is_available", "signature")
        labels = {
            "name": gettext_lazy("Your name"),
            "is_available": gettext_lazy("I am available for new tickets"),
        }
        help_texts = {
            "is_available": gettext_lazy("Otherwise no rule assigns tickets to you."),
            "signature": gettext_lazy("Stands below your replies. Empty: your team’s."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["signature"] = shown(self.instance.signature)
        self.fields["signature"].widget.attrs["data-rich"] = ""

    def clean_name(self) -> str:
        name = one_line(self.cleaned_data["name"], limit=120)
        if not name:
            self.add_error("name", gettext_lazy("Give a name."))
        return name

    def clean_signature(self) -> str:
        return taken(self.cleaned_data["signature"])


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Which program is it for?"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ChangesForm(forms.Form):
    """What narrows the log of changes; whatever is not understood is left out."""

    person = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    kind = forms.CharField(required=False, max_length=40)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    before = forms.RegexField(r"^\d{1,18}-\d{1,18}$", required=False)
