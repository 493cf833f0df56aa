"""Mails that are broken in every way: none breaks the reader, holds it up or fills the memory.

`MAIL_FUZZ_EXAMPLES=20000 pytest tests/messaging/test_fuzzed_mail.py` looks longer, at other
examples each time, and measures large mails of every kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.email.automatic import automatic_reason
from messaging.email.forwarded import original_sender
from messaging.email.parse import MailRefused, fingerprint, parse, parse_header
from messaging.email.trust import judge
from messaging.email.visible import visible_part
from messaging.reasons import describe
from tests.messaging.conftest import REAL_MATERIAL, ROOT, a_mail
from tests.messaging.memory import KINDS
from tests.messaging.packed import a_file, a_message, winmail

EXAMPLES = int(os.environ.get("MAIL_FUZZ_EXAMPLES", "0"))
MOST_SECONDS = 2
MOST_MEGABYTES = 500


def constructed() -> list[bytes]:
    """Mails that have what the real ones lack."""
    packed = a_mail("words", html="<p>words <b>and</b> more</p>", Cc='"A, B" <a@b.it>, c@d.it')
    packed.add_attachment(
        winmail(a_message("Old", winmail(a_file("a.txt", b"a"))), a_file("b.pdf", b"b"), text=b"w"),
        maintype="application",
        subtype="ms-tnef",
        filename="winmail.dat",
    )
    invited = a_mail("Come", In_Reply_To="<a@b>", References="<a@b> <c@d>")
    invited.add_attachment(
        b"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART;TZID=Europe/Rome:"
        b"20261124T100000\nORGANIZER;CN=A:mailto:a@b.it\nEND:VEVENT\nEND:VCALENDAR\n",
        maintype="text",
        subtype="calendar",
    )
    forwarded = a_mail(
        "---------- Forwarded message ---------\nFrom: A <a@b.it>\nDate: x\nSubject: y\n\nz",
        subject="Fwd: y",
    )
    forwarded.add_attachment(a_mail("inner"))
    signed = a_mail(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nwords\n-----BEGIN PGP SIGNATURE-----"
        "\n\nabc\n-----END PGP SIGNATURE-----\n\nOn 1/1/2026, a@b.it wrote:\n> quoted\n\n-- \nMe"
    )
    return [bytes(one) for one in (packed, invited, forwarded, signed)]


REAL = [
    raw for file in sorted((REAL_MATERIAL / "mail").glob("*.eml"))
    if len(raw := file.read_bytes()) < 20_000
]  # fmt: skip
PIECES = [
    b"\n", b"\n\n", b"\r", b"\x00", b"\xff\xfe", b"--", b"=?utf-8?b?", b"?=", b'"', b"<", b">",
    b";", b"boundary=", b"charset=utf-7", b"charset=unicode_escape", b"\t",
    b"Content-Type: multipart/mixed; ", b"Content-Type: message/rfc822\n\n", b"name*0*=",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: application/ms-tnef\n\n", b"Content-Type: text/calendar\n\n", b"<div " * 50,
    b"-----BEGIN PGP MESSAGE-----\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n", b"9" * 400,
    b"BEGIN:VEVENT\n", b"DTSTART:99999999T999999Z\n", b"From: \n", b"Date: 99 Foo 99999 -9999\n",
]  # fmt: skip
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["cut", "put", "flip", "twice", "swap"]),
        st.floats(0, 1),
        st.floats(0, 1),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=8,
)


def changed(raw: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    """The mail after a few accidents; places are fractions of its length."""
    for what, one, other, piece in changes:
        begin, end = sorted((int(one * len(raw)), int(other * len(raw))))
        if what == "cut":
            raw = raw[:begin] + raw[min(end, begin + 400) :]
        elif what == "put":
            raw = raw[:begin] + piece + raw[begin:]
        elif what == "flip":
            raw = (
                raw[:begin]
                + bytes(byte ^ 0x55 for byte in raw[begin : begin + 3])
                + raw[begin + 3 :]
            )
        elif what == "twice":
            raw = raw[:end] + raw[begin:end] + raw[end:]
        else:
            raw = raw[end:] + raw[begin:end] + raw[:begin]
    return raw[:200_000]


@settings(
    max_examples=EXAMPLES or 300,
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(constructed() + REAL), CHANGES)
def test_no_accident_that_befalls_a_mail_breaks_or_holds_up_the_reader(
    raw: bytes, changes: list[tuple[str, float, float, bytes]]
) -> None:
    raw = changed(raw, changes)
    started = time.process_time()
    fingerprint(raw)
    if header := parse_header(raw):
        assert "\0" not in f"{header.subject}{header.sender}"
    try:
        mail = parse(raw)
    except MailRefused as refusal:
        code = refusal.reason
    else:
        code = ""
        visible_part(mail.text, mail.html)
        original_sender(mail)
        judge(mail)
        automatic_reason(mail, is_ours=lambda name: False)
        told = describe(mail.invitation.as_reason()) if mail.invitation else ""
        assert "\0" not in f"{mail.subject}{mail.text}{mail.html}{told}"
    assert not code or describe({"code": code}) != code
    assert time.process_time() - started < MOST_SECONDS


@pytest.mark.parametrize("kind", KINDS if EXAMPLES else ["file"])
def test_the_largest_mail_fits_into_memory(kind: str) -> None:
    command = [sys.executable, "-m", "tests.messaging.memory", kind]
    took = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    print(took)
    assert took["megabytes_of_mail"] > 24
    assert took["megabytes"] < MOST_MEGABYTES
