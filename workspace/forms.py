from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import chain
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from people.models import User
from tickets.actions import FileDraft, MessageDraft
from tickets.drafts import Written
from tickets.models import (
    Message,
    MessageKind,
    Status,
    StatusCategory,
    Ticket,
    Upload,
    WriteMode,
)
from tickets.recipients import PLACES, NotAnAddress, TooManyRecipients, addresses, recipients
from tickets.rich_text import from_editor
from tickets.sanitise import storable, text_to_html
from workspace.addresses import Undeliverable

MAX_TEXT = 100_000
MAX_HTML = 500_000
MAX_ADDRESSES = 8_000
MAX_FILES = 20
#: Texts of one window that are on their way at once.
UNANSWERED = 3
_TOO_LONG = _("That is too long. Send the rest in a second message, or as a file.")


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Any number of files; the value is a list."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = data if isinstance(data, Sequence) else [data]
        return [super(ManyFiles, self).clean(file, initial) for file in files if file]


class WriteForm(forms.Form):
    """What an agent writes: how it leaves, to whom, its files, and what the ticket's status is
    then. The editor sends `html`; without it the words are in `text`."""

    mode = forms.ChoiceField(choices=WriteMode.choices)
    text = forms.CharField(
        required=False, max_length=MAX_TEXT, error_messages={"max_length": _TOO_LONG}
    )
    html = forms.CharField(
        required=False, max_length=MAX_HTML, error_messages={"max_length": _TOO_LONG}
    )
    to = forms.CharField(required=False, max_length=MAX_ADDRESSES)
    cc = forms.CharField(required=False, max_length=MAX_ADDRESSES)
    bcc = forms.CharField(required=False, max_length=MAX_ADDRESSES)
    forwards = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    # What the reply answers is not repeated beneath it.
    unquoted = forms.BooleanField(required=False)
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
    seen = forms.IntegerField(min_value=0, required=False)
    # When the draft was kept that this goes on with.
    draft = forms.DateTimeField(required=False)
    # The addresses of which the writer has been told that mails to them come back.
    warned = forms.CharField(required=False, max_length=MAX_ADDRESSES)
    # The writer has been told that the announced file is missing.
    anyway = forms.BooleanField(required=False)

    def __init__(self, *args: Any, ticket: Ticket, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket, self.user = ticket, user

    def clean_text(self) -> str:
        return _as_stored(self.cleaned_data["text"])

    def clean_to(self) -> list[str]:
        return _addresses(self.cleaned_data["to"])

    def clean_cc(self) -> list[str]:
        return _addresses(self.cleaned_data["cc"])

    def clean_bcc(self) -> list[str]:
        return _addresses(self.cleaned_data["bcc"])

    def clean_files(self) -> list[FileDraft]:
        return [
            FileDraft(
                name=file.name or "",
                content=file,
                content_type=file.content_type or "application/octet-stream",
            )
            for file in self.cleaned_data["files"]
        ]

    def clean_forwards(self) -> Message | None:
        """The message that a forward passes on; unless one is named, the customer's newest.

        Raises `Http404` for one that is not in this ticket, or that no customer may read.
        """
        if self.cleaned_data.get("mode") != WriteMode.FORWARD:
            return None
        public = self.ticket.messages.public().order_by("-occurred_at", "-pk")
        named = self.cleaned_data["forwards"]
        if named:
            return get_object_or_404(public, pk=named)
        return public.filter(kind=MessageKind.INBOUND).first() or public.first()

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        if not self.errors:
            given = {place: self.cleaned_data[place] for place in PLACES}
            if self.cleaned_data["mode"] == WriteMode.REPLY_ALL and not any(given.values()):
                # The page fills the fields; a browser without JavaScript leaves it to us.
                given["cc"] = self.ticket.newest_conversation.others_in_copy
            try:
                self.recipients = recipients(**given)
            except TooManyRecipients:
                self.add_error("to", _("These are too many recipients. 50 at most get one mail."))
        return data

    @cached_property
    def written(self) -> Written:
        """What was typed, as it is kept; pictures are only those of the writer's own uploads."""
        data = self.cleaned_data
        html = self._kept(data["html"]) if data["html"] else text_to_html(data["text"])
        mode = WriteMode(data["mode"])
        return Written(
            mode=mode,
            html=html,
            recipients={} if mode == WriteMode.NOTE else self.recipients,
            forwards=data["forwards"],
            quotes=not data["unquoted"],
        )

    @property
    def coming_back(self) -> list[Undeliverable]:
        """Of those whom it goes to beside the customer, whose mails come back."""
        given = chain.from_iterable(self.written.recipients.values())
        return list(Undeliverable.among(given).values())

    @property
    def sent_before(self) -> set[str]:
        """What this window sent to be kept before and was not answered about, as it is kept."""
        given = cast(QueryDict, self.data).getlist("after")[:UNANSWERED]
        return {self._kept(html) for html in given if len(html) <= MAX_HTML}

    def _kept(self, html: str) -> str:
        own = Upload.objects.filter(user=self.user, ticket=self.ticket, held=None)
        known = set(own.values_list("key", flat=True)) if "<img" in html else set()
        return from_editor(html, known=known)

    @property
    def status_then(self) -> Status | None:
        category = self.cleaned_data["then"]
        if not category or self.cleaned_data["mode"] == WriteMode.NOTE:
            return None
        return Status.objects.default_for(StatusCategory(category))


def _addresses(typed: str) -> list[str]:
    try:
        return addresses(typed)
    except NotAnAddress as error:
        text = _("“%(address)s” is no e-mail address.") % {"address": error}
        raise ValidationError(text) from None


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
