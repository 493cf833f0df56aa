"""Raw bytes to a parsed mail, for what the real world sends and for anything at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.email.automatic import automatic_reason
from messaging.email.parse import (
    Address,
    MailRefused,
    decode_header,
    decode_text,
    file_name,
    fingerprint,
    parse,
    parse_addresses,
)
from messaging.email.trust import judge
from messaging.email.visible import visible_part
from tickets.sanitise import clean_html

HEAD = b"From: a@example.it\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?Caf=C3=A9?=", "Café"),
        ("=?UTF-8?B?Q2Fmw6k=?= =?UTF-8?B?IMOo?=", "Café è"),
        ("=?utf-8?q?Caf=C3?= =?utf-8?q?=A9?=", "Café"),
        ("=?utf-8?b?Q2Fmw6k?=", "Café"),
        ("=?iso-8859-1?q?=80_5?=", "€ 5"),
        ("=?nonsense?q?hello?=", "hello"),
        ("=?utf-8?b?!!!?= left", " left"),
        ("=?utf-8?q?torn", "=?utf-8?q?torn"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?ks_c_5601-1987?B?vsiz5w==?=", "안녕"),
        ("a =?utf-8*en?q?b?= c", "a b c"),
        ("=?idna?q?xn--?=", "xn--"),
    ],
)
def test_encoded_words_are_read_however_torn(written: str, read: str) -> None:
    assert decode_header(written) == read


@pytest.mark.parametrize(
    ("content", "charset", "read"),
    [
        ("Știință".encode(), "utf-8", "Știință"),
        ("Știință".encode(), "us-ascii", "Știință"),
        ("Știință".encode("iso-8859-16"), "iso-8859-16", "Știință"),
        ("però".encode("cp1252"), "utf-8", "però"),
        (b"\x93quoted\x94", "iso-8859-1", "“quoted”"),
        ("però".encode(), "no-such-charset", "però"),
        (b"plain", "utf-16", "plain"),
        ("però".encode("utf-16"), "utf-16", "però"),
        (b"a\x00b\r\nc\rd", "utf-8", "ab\nc\nd"),
        (b"\xef\xbb\xbfbom", "utf-8", "bom"),
        (b"x", "unicode_escape", "x"),
        ("テスト".encode("iso2022_jp"), "ISO-2022-JP", "テスト"),
    ],
)
def test_text_is_read_in_its_charset_or_the_likeliest(
    content: bytes, charset: str, read: str
) -> None:
    assert decode_text(content, charset) == read


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Ana <ana@Example.IT>", [Address("ana@example.it", "Ana")]),
        ('"Rusu, Ana" <a@b.it>, c@d.it', [Address("a@b.it", "Rusu, Ana"), Address("c@d.it")]),
        ("=?utf-8?q?Rusu=2C_Ana?= <a@b.it>", [Address("a@b.it", "Rusu, Ana")]),
        ("a@b.it (Ana)", [Address("a@b.it", "Ana")]),
        ("Team: a@b.it, c@d.it;", [Address("a@b.it"), Address("c@d.it")]),
        ("undisclosed-recipients:;", []),
        ("a@b.it; c@d.it", [Address("a@b.it"), Address("c@d.it")]),
        ('"unclosed <a@b.it>, c@d.it', [Address("a@b.it", "unclosed"), Address("c@d.it")]),
        ("<>", []),
        ("Ana\r\n <a@b.it>", [Address("a@b.it", "Ana")]),
        ('"x\\" <evil@x.it>" <a@b.it>', [Address("a@b.it", 'x" <evil@x.it>')]),
    ],
)
def test_addresses_are_found_in_what_people_write(value: str, found: list[Address]) -> None:
    assert parse_addresses(value) == found


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("bill.pdf", "bill.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\bill.pdf", "bill.pdf"),
        ("", "attachment-1.pdf"),
        ("...", "attachment-1.pdf"),
        ("exe\u202efdp.exe", "exefdp.exe"),
        ("a" * 400 + ".pdf", "a" * 146 + ".pdf"),
        ("a\r\nb.pdf", "a b.pdf"),
    ],
)
def test_file_names_are_labels(given_name: str, shown: str) -> None:
    assert file_name(given_name, "application/pdf") == shown


def test_names_of_rfc_2231_are_read() -> None:
    mail = parse(
        HEAD + b"Content-Type: application/pdf; name*0*=utf-8''Caf%C3%A9; name*1*=%20lista.pdf\n\nx"
    )
    assert mail.attachments[0].name == "Café lista.pdf"


def test_bodies_are_put_together_from_what_there_is() -> None:
    mail = parse(
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>First &amp; <b>foremost</b></p>\n"
        b"--b\nContent-Type: text/plain\n\nsecond\n--b--\n"
    )
    assert mail.text == "First & foremost\n\nsecond"
    assert mail.html == "<p>First &amp; <b>foremost</b></p>\n<p>second</p>"


def test_flowed_text_is_joined() -> None:
    mail = parse(
        HEAD + b"Content-Type: text/plain; format=flowed\n\nOne long \nline.\n> kept \n> apart\n"
    )
    assert mail.text == "One long line.\n> kept \n> apart\n"


def test_the_fingerprint_is_of_the_mail_and_not_of_its_way() -> None:
    mail = HEAD + b"Subject: x\nMessage-ID: <1@x>\n\nbody\n"
    by_another_way = b"Received: from y\n by z\nX-Spam: no\n" + mail.replace(b"\n", b"\r\n")
    assert fingerprint(mail) == fingerprint(by_another_way)
    assert fingerprint(mail) != fingerprint(mail.replace(b"body", b"Body"))
    assert fingerprint(mail) != fingerprint(mail.replace(b"<1@x>", b"<2@x>"))


def test_words_without_a_blank_line_before_them_tell_two_mails_apart() -> None:
    mails = [b"", b"hello\n", b"From: a@x\nhello\n", b"From: a@x\nHello\n", b"From: a@x\nb\n\nc"]
    assert len({fingerprint(mail) for mail in mails}) == len(mails)


PIECES = st.sampled_from(
    [
        b"From: a@b.it\n",
        b"Content-Type: ",
        b"multipart/mixed; boundary=b\n",
        b"--b\n",
        b"--b--\n",
        b"text/html; charset=",
        b"utf-7",
        b"\n\n",
        b"=?utf-8?b?",
        b"?=",
        b"Content-Disposition: ",
        b"attachment; filename*=x''%zz",
        b"message/rfc822\n\n",
        b"Content-Transfer-Encoding: base64\n",
        b"quoted-printable\n",
        b"<blockquote type=cite>",
        b"<div class=gmail_quote>",
        b"On 1/1/2026, a@b wrote:\n",
        b"> ",
        b"-- \n",
        b"Authentication-Results: x; dmarc=",
        b"Message-ID: <",
        b">\n",
        b"Date: ",
        b"(((",
        b'"',
        b"name*0*=",
        b"format=flowed\n",
        b"begin 644 x\n",
        b"uuencode\n",
        b"delivery-status\n",
        b"\x00",
        b"\xff",
        b"\r",
    ]
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(PIECES | st.binary(max_size=40), max_size=60).map(b"".join))
def test_no_bytes_at_all_break_the_reader(raw: bytes) -> None:
    started = time.process_time()
    fingerprint(raw)
    try:
        mail = parse(raw)
    except MailRefused:
        return
    body = visible_part(mail.text, mail.html)
    clean_html(mail.html)
    judge(mail)
    automatic_reason(mail, is_ours=lambda name: False)
    texts = [mail.subject, mail.message_id, body.text, body.html, body.hidden, mail.text, mail.html]
    texts += [file.name for file in mail.attachments]
    for text in texts:
        assert "\0" not in text
        text.encode()
    assert time.process_time() - started < 2
