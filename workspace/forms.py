from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from tickets.actions import FileDraft, MessageDraft
from tickets.files import FileRefused, check_files
from tickets.models import MessageKind, StatusCategory, Ticket
from tickets.sanitise import storable

MAX_TEXT = 100_000
MAX_FILES = 20
_TOO_LONG = _("That is too long. Send the rest in a second message, or as a file.")


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Any number of files; the value is a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = data if isinstance(data, Sequence) else [data]
        return [super(ManyFiles, self).clean(file, initial) for file in files if file]


class MessageForm(forms.Form):
    """What an agent writes: a reply or a note, its files, and what the ticket's status is then."""

    kind = forms.ChoiceField(
        choices=[(kind, kind) for kind in (MessageKind.OUTBOUND, MessageKind.NOTE)]
    )
    text = forms.CharField(
        required=False,
        max_length=MAX_TEXT,
        error_messages={"max_length": _TOO_LONG},
    )
    files = ManyFiles(  # type: ignore[assignment]
        required=False, allow_empty_file=True
    )
    then = forms.ChoiceField(
        required=False,
        choices=[
            ("", ""),
            *(
                (category, category)
                for category in (
                    StatusCategory.OPEN,
                    StatusCategory.PENDING,
                    StatusCategory.ON_HOLD,
                    StatusCategory.SOLVED,
                )
            ),
        ],
    )
    seen = forms.IntegerField(min_value=0)

    def clean_text(self) -> str:
        return _as_stored(self.cleaned_data["text"])

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
            raise ValidationError(_("These are too many files. Send at most 20 at once."))
        try:
            check_files(drafts)
        except FileRefused as refused:
            raise ValidationError(str(refused)) from None
        return drafts

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if not self.errors and self.draft.is_empty:
            self.add_error("text", _("Write something or attach a file first."))
        return data

    @property
    def is_note(self) -> bool:
        return bool(self.cleaned_data["kind"] == MessageKind.NOTE)

    @property
    def draft(self) -> MessageDraft:
        return MessageDraft(
            text=self.cleaned_data.get("text", ""),
            files=tuple(self.cleaned_data.get("files") or ()),
        )


class FollowUpForm(forms.Form):
    """What an agent writes to the customer of a closed ticket. Each copy of the form that a page
    shows carries a random key."""

    text = forms.CharField(
        max_length=MAX_TEXT,
        error_messages={"required": _("Write something first."), "max_length": _TOO_LONG},
    )
    key = forms.CharField(max_length=64)

    def clean_text(self) -> str:
        text = _as_stored(self.cleaned_data["text"])
        if not text:
            raise ValidationError(_("Write something first."))
        return text

    @property
    def draft(self) -> MessageDraft:
        return MessageDraft(text=self.cleaned_data["text"])

    def dedupe_key(self, ticket: Ticket) -> str:
        """The same for the same copy with the same words: sent twice, it is one follow-up."""
        given = "\x1f".join([str(ticket.pk), self.cleaned_data["key"], self.draft.text])
        return "follow-up:" + sha256(given.encode()).hexdigest()


def _as_stored(text: str) -> str:
    return storable(text.replace("\r\n", "\n")).strip()


class ChangeForm(forms.Form):
    """One change of a ticket's properties: which, and to what."""

    PROPERTIES = ("status", "priority", "category", "type", "team", "assignee", "tags", "mark")

    property = forms.ChoiceField(choices=[(name, name) for name in PROPERTIES])
    value = forms.CharField(required=False, max_length=2000)
    seen = forms.IntegerField(min_value=0)
