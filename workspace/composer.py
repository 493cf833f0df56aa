"""What stands in the composer: what the agent has typed, or what their draft says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Self

from django.urls import reverse

from tickets.models import WriteMode
from tickets.recipients import PLACES
from tickets.rich_text import for_editor, from_editor
from tickets.sanitise import html_to_text
from workspace.addresses import Undeliverable
from workspace.beside import Beside, WaitingFile


@dataclass(frozen=True)
class Composer:
    mode: str = WriteMode.REPLY
    #: As the editor takes it.
    html: str = ""
    text: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    forwards: int | None = None
    #: Whether the mail of a reply repeats what it answers.
    quotes: bool = True
    #: The draft that this goes on with: when it was kept.
    draft_at: datetime | None = None
    files: Sequence[WaitingFile] = ()
    #: Who else takes part, for a reply to all.
    others: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, beside: Beside, *, forward: str = "") -> Self:
        """The composer with the draft of whoever looks at it; `forward` names the message that the
        address asks to pass on."""
        draft = beside.draft
        named = _id(forward)
        mode = draft.mode if draft else WriteMode.REPLY
        return cls(
            mode=WriteMode.FORWARD if named else mode,
            html=for_editor(draft.html, upload_url) if draft else "",
            text=html_to_text(draft.html) if draft else "",
            forwards=named or (draft.forwards if draft else None),
            quotes=draft.quotes if draft else True,
            draft_at=draft.updated_at if draft else None,
            files=[upload for upload in beside.uploads if not _stands_in(draft, upload)],
            others=beside.others,
            **{
                place: ", ".join(draft.recipients.get(place, ())) if draft else ""
                for place in PLACES
            },
        )

    @classmethod
    def typed(cls, beside: Beside, given: Mapping[str, str]) -> Self:
        """The composer with what was just sent and not taken."""
        known = {upload.key for upload in beside.uploads}
        html = from_editor(given.get("html", ""), known=known)
        mode, forwards = given.get("mode", ""), given.get("forwards", "")
        return cls(
            mode=mode if mode in WriteMode.values else WriteMode.REPLY,
            html=for_editor(html, upload_url),
            text=given.get("text", "") or html_to_text(html),
            to=given.get("to", ""),
            cc=given.get("cc", ""),
            bcc=given.get("bcc", ""),
            forwards=_id(forwards),
            quotes=not given.get("unquoted"),
            draft_at=beside.draft.updated_at if beside.draft else None,
            files=[one for one in beside.uploads if not (one.is_inline and one.key in html)],
            others=beside.others,
        )

    @property
    def draft_version(self) -> str:
        return self.draft_at.isoformat() if self.draft_at else ""

    @property
    def others_all(self) -> str:
        """Whom a reply to all copies, as it stands in a field."""
        return ", ".join([*self.others.get("to", ()), *self.others.get("cc", ())])

    @cached_property
    def coming_back(self) -> list[Undeliverable]:
        """Of those whom it goes to beside the customer, whose mails come back."""
        given = f"{self.to} {self.cc} {self.bcc}".replace(",", " ").split()
        return list(Undeliverable.among(given).values()) if given else []

    @property
    def is_addressed(self) -> bool:
        """Whether the fields of the recipients show at once."""
        return bool(self.to or self.cc or self.bcc or self.mode == WriteMode.FORWARD)


def upload_url(key: str) -> str:
    """Where the one who put a picture beside their draft sees it."""
    return reverse("desk_upload", args=[key])


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _stands_in(draft: object, upload: WaitingFile) -> bool:
    return upload.is_inline and upload.key in getattr(draft, "html", "")
