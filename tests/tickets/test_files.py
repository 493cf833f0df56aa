from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from hypothesis import given
from hypothesis import strategies as st

from people.models import User
from tests.tickets.evidence import refused
from tickets.actions import FileDraft, MessageDraft, add_note
from tickets.files import FileRefused, attachment_response, check_files, safe_name
from tickets.models import Attachment, Ticket


def draft(name: str, content: bytes = b"abc", content_type: str = "text/plain") -> FileDraft:
    return FileDraft(name=name, content=ContentFile(content), content_type=content_type)


def stored(ticket: Ticket, author: User, *files: FileDraft) -> list[Attachment]:
    message = add_note(ticket, draft=MessageDraft(text="", files=files), author=author)
    return list(message.attachments.all())


NASTY = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\config",
    "/etc/shadow",
    "a" * 10_000,
    "a." + "x" * 10_000,
    "con\x00fig.txt",
    "photo\u202egpj.exe",
    ".htaccess",
    "...",
    "",
    "\r\nSet-Cookie: a=b",
    "<img src=x onerror=alert(1)>.png",
    "half \ud83d.txt",
    "naïve café ✓.pdf",
]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_becomes_a_path(
    ticket: Ticket, ana: User, name: str, settings: Any, tmp_path: Path
) -> None:
    attachment = stored(ticket, ana, draft(name))[0]
    path = Path(attachment.file.path).resolve()
    assert path.is_relative_to(Path(settings.MEDIA_ROOT).resolve())
    assert path.read_bytes() == b"abc"
    # Two levels of random letters, nothing of the name.
    assert len(attachment.file.name) == 33
    assert set(attachment.file.name) <= set("0123456789abcdef/")
    assert path.stat().st_mode & 0o077 == 0
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files == [path]


@given(st.text(max_size=300))
def test_a_name_on_screen_is_short_printable_and_stable(name: str) -> None:
    shown = safe_name(name)
    assert 0 < len(shown) <= 132
    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown
    assert shown == shown.strip()
    assert not shown.startswith(".")
    assert safe_name(shown) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Chiara\\lamp.jpg", "lamp.jpg"),
        ("a" * 200 + ".pdf", "a" * 116 + ".pdf"),
        ("a." + "x" * 10_000, "a." + "x" * 118),
        (".htaccess", "htaccess"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("", "file"),
        ("archive.tar.gz", "archive.tar.gz"),
    ],
)
def test_what_a_file_is_called_on_screen(name: str, shown: str) -> None:
    assert safe_name(name) == shown


@pytest.mark.parametrize(
    "name",
    [
        "evil.exe",
        "evil.EXE",
        "evil.exe ",
        "evil.exe.",
        "evil.e\x00xe",
        "evil.exe\u200b",
        "../evil.bat",
        "photo\u202egpj.scr",
        "x" * 300 + ".msi",
    ],
)
def test_programs_are_refused_however_they_are_spelled(name: str) -> None:
    with pytest.raises(FileRefused, match="program"):
        check_files([draft("fine.pdf"), draft(name)])


def test_sizes_count_together(settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1_000_000
    half = b"x" * 500_000
    check_files([draft("a", half), draft("b", half)])
    with pytest.raises(FileRefused, match="1 MB"):
        check_files([draft("a", half), draft("b", half + b"x")])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text/plain; charset=utf-8", "text/plain"),
        ("IMAGE/PNG", "image/png"),
        ("text/html\r\nX-Evil: 1", "application/octet-stream"),
        ("no type", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("x/" + "y" * 300, "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_lying_type_is_not_kept(ticket: Ticket, ana: User, given: str, kept: str) -> None:
    assert stored(ticket, ana, draft("a", content_type=given))[0].content_type == kept


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "application/pdf"])
def test_a_file_is_only_ever_handed_out_as_a_download(
    ticket: Ticket, ana: User, content_type: str
) -> None:
    file = draft('a"\r\nb.svg', b"<svg onload=x()>", content_type)
    response = attachment_response(stored(ticket, ana, file)[0])
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment;")
    assert "\n" not in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert "no-store" in response["Cache-Control"]
    response.close()


def test_a_refused_reply_stores_no_file(
    ticket: Ticket, ana: User, settings: Any, tmp_path: Path
) -> None:
    with refused(ticket, Exception):
        add_note(ticket, draft=MessageDraft(text="x", files=(draft("a"),)), author=ana, seen=1)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
