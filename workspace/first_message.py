"""What an agent writes to a customer who has not asked."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from people.models import Customer, Identity, Team, User
from people.models.names import one_line
from tickets.actions import FileDraft, MessageDraft
from tickets.files import FileRefused, check_files
from tickets.sanitise import storable
from workspace.forms import MAX_FILES, MAX_TEXT, ManyFiles, ManyFilesInput


class FirstMessageForm(forms.Form):
    """What an agent writes to a customer who has not asked. Each copy of the form that a page shows
    carries a random key."""

    identity = forms.TypedChoiceField(label=_("To"), coerce=int)
    subject = forms.CharField(
        label=_("Subject"),
        max_length=300,
        error_messages={"required": _("Write what it is about.")},
    )
    text = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 9}),
    )
    files = ManyFiles(  # type: ignore[assignment]
        label=_("Files"), required=False, allow_empty_file=True, widget=ManyFilesInput
    )
    team = forms.TypedChoiceField(label=_("Team"), required=False, coerce=int, empty_value=None)
    then = forms.ChoiceField(
        required=False, choices=[(one, one) for one in ("pending", "open", "on_hold", "solved")]
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, customer: Customer, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.addresses = {
            one.pk: one for one in customer.identities.all() if one.kind == Identity.Kind.EMAIL
        }
        self.teams = {team.pk: team for team in _teams_of(user)}
        self.fields["identity"].choices = [  # type: ignore[attr-defined]
            (one.pk, one.value) for one in self.addresses.values()
        ]
        self.fields["team"].choices = [  # type: ignore[attr-defined]
            *((team.pk, str(team)) for team in self.teams.values()),
            ("", _("No team")),
        ]

    def clean_subject(self) -> str:
        subject = one_line(self.cleaned_data["subject"], limit=300)
        if not subject:
            raise forms.ValidationError(_("Write what it is about."))
        return subject

    def clean_files(self) -> list[FileDraft]:
        drafts = [
            FileDraft(
                name=file.name or "",
                content=file,
                content_type=file.content_type or "application/octet-stream",
            )
            for file in self.cleaned_data["files"]
        ]
        if len(drafts) > MAX_FILES:
            raise forms.ValidationError(_("These are too many files. Send at most 20 at once."))
        try:
            check_files(drafts)
        except FileRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return drafts

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if not self.errors and self.draft.is_empty:
            self.add_error("text", _("Write something or attach a file first."))
        return data

    @property
    def draft(self) -> MessageDraft:
        return MessageDraft(
            text=storable(self.cleaned_data.get("text", "").replace("\r\n", "\n")).strip(),
            files=tuple(self.cleaned_data.get("files") or ()),
        )

    def dedupe_key(self, customer: Customer, user: User) -> str:
        """The same for the same copy with the same words: sent twice, it is one ticket."""
        data = self.cleaned_data
        given = [str(customer.pk), str(user.pk), data["key"], data["subject"], self.draft.text]
        return "first:" + sha256("\x1f".join(given).encode()).hexdigest()


def _teams_of(user: User) -> list[Team]:
    """Their own first; whoever sees every ticket may write for every team."""
    own = list(Team.objects.in_use().of(user))
    if not user.is_manager:
        return own
    known = {team.pk for team in own}
    return own + [team for team in Team.objects.in_use() if team.pk not in known]
