"""What is about to be written: a message and its files, before they are rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import File

from tickets.models import Message, WriteMode
from tickets.recipients import Recipients


@dataclass(frozen=True, slots=True)
class FileDraft:
    """A file as it came in. `name` is what its sender called it; it never becomes a path."""

    name: str
    content: File[Any]
    content_type: str = "application/octet-stream"
    content_id: str = ""
    is_inline: bool = False


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message as it came in.

    `text` is what its author wrote, without quoted history and signature (`quoted_text`). `html`
    is as received; it is sanitised when it is stored, or `shown_html` in its place where only a
    part is to be shown. Without either, `text` is shown as paragraphs. `recipients` are those
    beside the conversation's own identity, and `mentions` the ids of colleagues.
    """

    text: str
    html: str = ""
    shown_html: str = ""
    quoted_text: str = ""
    files: tuple[FileDraft, ...] = ()
    recipients: Recipients = field(default_factory=dict)
    mentions: tuple[int, ...] = ()
    rfc_message_id: str = ""
    is_automatic: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.html.strip() or self.files)


@dataclass(frozen=True, slots=True)
class Written:
    """What an agent has in their composer. `html` is as `tickets.rich_text` keeps it."""

    mode: WriteMode = WriteMode.REPLY
    html: str = ""
    recipients: Recipients = field(default_factory=dict)
    # The message that a forward passes on.
    forwards: Message | None = None
    # Whether the mail of a reply repeats beneath it what it answers.
    quotes: bool = True

    @property
    def is_blank(self) -> bool:
        return not (self.html or self.recipients or self.forwards)
