"""What Outlook packs into winmail.dat is read as if it had been sent openly."""

from __future__ import annotations

import time
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tnefparse import TNEF

from messaging.email.parse import parse
from messaging.email.tnef import unpack
from tests.messaging.conftest import Deliver, a_mail
from tests.messaging.packed import a_file, a_message, attribute, properties, winmail
from tickets.models import Message

INVOICES = winmail(
    a_file("fattura novembre.pdf", b"%PDF-1.7 one"),
    a_file("număr.csv", b"a;b\n"),
    text="Bună ziua, două facturi.".encode("cp1250"),
)


def carrying(packed: bytes, text: str = "", *, name: str = "winmail.dat") -> EmailMessage:
    mail = a_mail(text)
    mail.add_attachment(packed, maintype="application", subtype="ms-tnef", filename=name)
    return mail


@pytest.mark.django_db
def test_packed_files_become_files_and_packed_words_the_message(deliver: Deliver) -> None:
    answer = deliver(carrying(INVOICES))
    message = Message.objects.get(pk=answer["message"])
    assert message.text == "Bună ziua, două facturi."
    files = {file.name: (file.file.read(), file.content_type) for file in message.attachments.all()}
    assert files == {
        "fattura novembre.pdf": (b"%PDF-1.7 one", "application/pdf"),
        "număr.csv": (b"a;b\n", "text/csv"),
    }


def test_another_reader_finds_the_same_in_it() -> None:
    other, ours = TNEF(INVOICES), unpack(INVOICES)
    assert ours is not None
    assert [file.content for file in ours.files] == [file.data for file in other.attachments]
    named = [file.long_filename().rstrip("\0") for file in other.attachments]
    assert [file.name for file in ours.files] == named
    assert ours.text.encode("cp1250") == other.body.rstrip(b"\0")


def test_what_was_written_openly_is_preferred() -> None:
    mail = parse(bytes(carrying(INVOICES, "Open words.")))
    assert mail.text.strip() == "Open words."
    assert len(mail.attachments) == 2


def test_packed_html_is_read_in_its_own_charset() -> None:
    mail = parse(bytes(carrying(winmail(html="<p>Perché <b>no</b>?</p>"), name="WINMAIL.DAT")))
    assert (mail.text.strip(), mail.html) == ("Perché no?", "<p>Perché <b>no</b>?</p>")
    assert not mail.attachments


def test_a_message_within_gives_its_files_and_its_words() -> None:
    inner = winmail(a_file("inner.txt", b"deep"), text=b"Forwarded words")
    mail = parse(bytes(carrying(winmail(a_message("Old mail", inner), text=b"See below"))))
    assert mail.text == "See below"
    found = [(file.name, file.content) for file in mail.attachments]
    assert found == [("Old mail.txt", b"Forwarded words"), ("inner.txt", b"deep")]


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"not packed at all",
        INVOICES[:-20],
        winmail(),
        winmail(rich=True),
        # Counts of four billion, of which nothing is there.
        winmail(attribute(1, 0x9003, 6, b"\xff\xff\xff\xff")),
        winmail(attribute(1, 0x9003, 6, b"\x01\0\0\0\x1e\x10\x00\x10\xff\xff\xff\xff")),
        winmail(attribute(1, 0x9003, 6, b"\x01\0\0\0\x02\x10\x00\x20\xff\xff\xff\xff")),
        winmail(*[a_file(f"{number}.txt", b"x") for number in range(501)]),
        winmail(attribute(2, 0x8010, 1, b"a title of no file\0")),
        winmail(attribute(2, 0x9002, 6, b""), attribute(2, 0x9005, 6, properties(b"\x99\0\0\x37"))),
    ],
)
def test_what_cannot_be_unpacked_stays_the_file_that_it_is(packed: bytes) -> None:
    started = time.process_time()
    mail = parse(bytes(carrying(packed, name="winmail.dat")))
    assert time.process_time() - started < 1
    assert [(file.name, file.content) for file in mail.attachments] == [("winmail.dat", packed)]


def test_a_message_within_a_message_without_end_is_given_up() -> None:
    packed = winmail(text=b"innermost")
    for _ in range(30):
        packed = winmail(a_message("again", packed))
    assert unpack(packed) is None


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_no_change_of_its_bytes_breaks_the_reader(data: st.DataObject) -> None:
    packed = bytearray(winmail(a_message("Old", INVOICES), text=b"words"))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(packed) - 1))
        packed[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    end = data.draw(st.none() | st.integers(0, len(packed)))
    found = unpack(bytes(packed[:end]))
    assert found is None or sum(len(file.content) for file in found.files) <= 4 * len(packed)
