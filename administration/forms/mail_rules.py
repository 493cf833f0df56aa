"""The form over a rule for senders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from administration.forms.rows import RowForm
from messaging.models import MailRule
from messaging.models.rules import NoPattern, as_pattern


class MailRuleForm(RowForm[MailRule]):
    class Meta:
        model = MailRule
        fields = ("pattern", "verdict")
        widgets = {"verdict": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pattern"].help_text = _(
            "An address, or a domain like @example.com for everybody there and below it."
        )
        verdict = self.fields["verdict"]
        assert isinstance(verdict, forms.ChoiceField)
        verdict.choices = [
            (MailRule.Verdict.BLOCK, _("Block: it is held and never answered")),
            (MailRule.Verdict.ALLOW, _("Allow: it is never taken for spam")),
        ]

    def clean_pattern(self) -> str:
        try:
            return as_pattern(str(self.cleaned_data["pattern"]))
        except NoPattern as error:
            raise ValidationError(str(error)) from None
