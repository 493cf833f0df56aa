"""What is being written and is not sent: one draft for each colleague and ticket, and its files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from people.models import User
from tickets.drafts import FileDraft, Written
from tickets.files import HEAD_BYTES, check_files, plausible_type, safe_name, sniffed
from tickets.models import Draft, Ticket, Upload

MAX_UPLOADS: Final = 20
#: A file that waits beside no draft is nobody's after a day, and beside one after a month.
FORGOTTEN_AFTER: Final = timedelta(days=1)
KEPT_AT_MOST: Final = timedelta(days=30)


class DraftHasChanged(Exception):
    """The draft was changed in another window since this one read it, or it was sent from there:
    `draft` is what it is now."""

    def __init__(self, draft: Draft | None) -> None:
        super().__init__("The draft has changed.")
        self.draft = draft


class TooManyFiles(Exception):
    """More files than one message takes."""


@transaction.atomic
def save_draft(
    ticket: Ticket,
    *,
    author: User,
    written: Written,
    base: datetime | None,
    after: Collection[str] = (),
) -> Draft | None:
    """Keep what the author has typed; nothing typed is no draft.

    `base` is when the draft was saved that the author's window goes on with, `None` where it knew
    none; `after` are the texts that this window sent since, of which it does not know whether they
    came. Raises `DraftHasChanged` when another window went on with it, unless both say the same.
    """
    draft = Draft.objects.select_for_update().of(author, ticket).first()
    if draft and _says(draft, written):
        return draft
    goes_on = bool(draft and draft.html in after)
    if not goes_on and (draft.updated_at if draft else None) != base:
        raise DraftHasChanged(draft)
    if written.is_blank:
        if draft:
            draft.delete()
        return None
    draft = draft or Draft(author=author, ticket=ticket)
    _take(draft, written)
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError:
        raise DraftHasChanged(Draft.objects.of(author, ticket).first()) from None
    return draft


def _says(draft: Draft, written: Written) -> bool:
    return (draft.mode, draft.html, draft.recipients, draft.forwards_id, draft.quotes) == (
        written.mode,
        written.html,
        dict(written.recipients),
        written.forwards.pk if written.forwards else None,
        written.quotes,
    )


def _take(draft: Draft, written: Written) -> None:
    draft.mode, draft.html, draft.recipients = written.mode, written.html, dict(written.recipients)
    draft.forwards, draft.quotes = written.forwards, written.quotes
    draft.updated_at = timezone.now()


@transaction.atomic
def add_to_draft(ticket: Ticket, *, author: User, html: str, is_note: bool = False) -> Draft:
    """Put text below what the author has typed: a canned reply, or a message that came back."""
    draft = Draft.objects.select_for_update().of(author, ticket).first()
    if draft is None:
        mode = Draft._meta.get_field("mode").get_default()
        draft = Draft(author=author, ticket=ticket, mode="note" if is_note else mode)
    draft.html += html
    draft.updated_at = timezone.now()
    draft.save()
    return draft


@transaction.atomic
def drop_draft(ticket: Ticket, *, author: User) -> None:
    """Throw the draft away, with the files that wait beside it."""
    Draft.objects.of(author, ticket).delete()
    _delete(Upload.objects.of(author, ticket))


@transaction.atomic
def add_upload(ticket: Ticket, *, user: User, file: FileDraft, is_inline: bool = False) -> Upload:
    """Keep a file beside the user's draft. Only what its bytes prove to be a picture can stand in
    the text. Raises `FileRefused`, or `TooManyFiles`."""
    waiting = list(Upload.objects.of(user, ticket))
    if len(waiting) >= MAX_UPLOADS:
        raise TooManyFiles
    check_files([file, *files_of(waiting)])
    upload = Upload(
        ticket=ticket,
        user=user,
        name=safe_name(file.name),
        content_type=plausible_type(file.content_type),
        size=file.content.size,
    )
    kind = _picture(file)
    if kind:
        upload.content_type = kind
    upload.is_inline = bool(is_inline and kind)
    upload.file.save(upload.key, file.content, save=True)
    return upload


def remove_upload(upload: Upload) -> None:
    """Take a file away that waits beside a draft."""
    with transaction.atomic():
        _delete([upload])


def sweep_uploads() -> int:
    """Delete the files that nobody went on with, and return how many."""
    now = timezone.now()
    beside = Draft.objects.filter(author=OuterRef("user"), ticket=OuterRef("ticket"))
    forgotten = Upload.objects.forgotten(before=now - FORGOTTEN_AFTER)
    with transaction.atomic():
        gone = [
            *forgotten.exclude(Exists(beside))[:500],
            *Upload.objects.forgotten(before=now - KEPT_AT_MOST).filter(Exists(beside))[:500],
        ]
        _delete(gone)
    return len(gone)


def files_of(uploads: Iterable[Upload]) -> list[FileDraft]:
    """Waiting files as those of a message; a picture in the text is known by its upload's key."""
    return [
        FileDraft(
            name=upload.name,
            content=upload.file,
            content_type=upload.content_type,
            content_id=upload.key if upload.is_inline else "",
            is_inline=upload.is_inline,
        )
        for upload in uploads
    ]


def _picture(file: FileDraft) -> str:
    """The kind of picture that the file is by its bytes, or nothing."""
    file.content.seek(0)
    kind = sniffed(file.content.read(HEAD_BYTES))
    file.content.seek(0)
    return kind


def _delete(uploads: Iterable[Upload]) -> None:
    for upload in uploads:
        storage, name = upload.file.storage, upload.file.name
        upload.delete()
        if name:
            transaction.on_commit(partial(storage.delete, name), robust=True)
