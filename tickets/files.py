"""Attachments: what may be stored, and how it is handed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponseBase
from django.utils.translation import gettext as _

from tickets.drafts import FileDraft
from tickets.models import Attachment, Message, Upload

R = TypeVar("R", bound=HttpResponseBase)


#: Kinds of picture that a page may show. What a file is called proves nothing: see `sniffed`.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: So many bytes tell what a picture is.
HEAD_BYTES = 16


class FileRefused(Exception):
    """A file that we do not take; the text says why, to whoever sent it."""


def check_files(files: Iterable[FileDraft]) -> None:
    """Raise `FileRefused` for files that are too large together or only ever harmful.

    The kind is that of the name under which the file would be saved, not of the name as sent: a
    space, a dot or an invisible character at its end hides no program.
    """
    total = 0
    for file in files:
        total += file.content.size
        name = safe_name(file.name)
        if PurePosixPath(name).suffix.lower() in settings.ATTACHMENT_REFUSED_TYPES:
            raise FileRefused(
                _("“%(name)s” is a program. Please send it packed, or as a picture or document.")
                % {"name": name}
            )
    if total > settings.ATTACHMENT_MAX_BYTES:
        raise FileRefused(
            _("The files are larger than %(limit)d MB together. Please send fewer or smaller ones.")
            % {"limit": settings.ATTACHMENT_MAX_BYTES // 1_000_000}
        )


def store_files(message: Message, files: Sequence[FileDraft]) -> list[Attachment]:
    """Keep the files of a message outside the web root under random names."""
    attachments = [
        Attachment(
            message=message,
            name=safe_name(file.name),
            content_type=plausible_type(file.content_type),
            size=file.content.size,
            content_id=file.content_id[:255],
            is_inline=file.is_inline,
        )
        for file in files
    ]
    for attachment, file in zip(attachments, files, strict=True):
        if isinstance(file.content, FieldFile):
            # It waited beside a draft, in the same store: it stays where it is.
            attachment.file.name = file.content.name
            attachment.save()
        else:
            attachment.file.save(attachment.key, file.content, save=True)
    return attachments


def safe_name(name: str) -> str:
    """What a file is called on screen and when it is saved: its last path component, printable,
    at most 120 characters with its extension kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(c for c in last if c.isprintable()).strip(" .")
    stem, dot, suffix = printable.rpartition(".")
    if dot and len(suffix) <= 12:
        return f"{stem[: 119 - len(suffix)]}.{suffix}"
    return printable[:120].rstrip(" .") or _("file")


def plausible_type(content_type: str) -> str:
    kind = content_type.split(";")[0].strip().lower()
    is_plausible = (
        kind.isascii() and kind.count("/") == 1 and len(kind) <= 127 and kind.isprintable()
    )
    return kind if is_plausible and " " not in kind else "application/octet-stream"


def attachment_response(attachment: Attachment | Upload) -> FileResponse:
    """The file as a download that no browser runs or shows: always an attachment, never sniffed,
    and in a sandbox should anything open it all the same.

    Raises `Http404` where the store has lost it.
    """
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        content,
        as_attachment=True,
        filename=attachment.name,
        content_type="application/octet-stream",
    )
    return harmless(response, cache="private, no-store")


def picture_response(attachment: Attachment | Upload) -> FileResponse:
    """The file as a picture to be shown, when its bytes say that it is one.

    Raises `Http404` for everything else: an SVG or a page under a picture's name is never shown.
    """
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    kind = sniffed(content.read(HEAD_BYTES))
    if not kind:
        content.close()
        raise Http404
    content.seek(0)
    response = FileResponse(content, filename=attachment.name, content_type=kind)
    # A file never changes under its key.
    return harmless(response, cache="private, max-age=86400, immutable")


def sniffed(head: bytes) -> str:
    """Which of `PICTURES` begins with these bytes, whatever it is called; empty for none."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return ""


def harmless(response: R, *, cache: str) -> R:
    """The response with headers under which no browser runs what a stranger sent."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = cache
    return response
