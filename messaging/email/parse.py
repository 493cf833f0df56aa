"""Raw mail to `ParsedMail`, for any bytes at all.

Uses the standard library's parser with its lenient policy: the modern one raises on headers that
real mail is full of. Header values are decoded here, because a wrong charset or a torn encoded
word must cost at most a few characters and never the mail.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32

from messaging.email.calendar import Invitation
from messaging.email.charsets import decode_header, decode_text, eight_bit, one_line
from messaging.email.headers import (
    Address,
    date_of,
    message_ids,
    parse_addresses,
    parse_addresses_of,
)
from messaging.email.limits import (
    MAX_BODY_CHARACTERS,
    MAX_BYTES,
    MAX_HEADER_BYTES,
    MailRefused,
    check_limits,
)
from messaging.email.parts import Bodies, ParsedAttachment, file_name, parameter
from tickets.sanitise import html_to_text

__all__ = [
    "Address",
    "MailRefused",
    "ParsedAttachment",
    "ParsedMail",
    "decode_header",
    "decode_text",
    "file_name",
    "fingerprint",
    "one_line",
    "parse",
    "parse_addresses",
    "parse_header",
    "without_envelope_line",
]

SUBJECT_LENGTH = 500

#: What servers on the way write on top of a mail.
TRACE = frozenset(
    {
        *("received", "authentication-results", "x-spam", "x-spam-flag", "x-spam-status"),
        *("x-spamd-result", "x-rspamd-action"),
    }
)


@dataclass
class ParsedMail:
    """A mail as the rest of the house reads it: only text that PostgreSQL can store."""

    headers: dict[str, list[str]]
    sender: Address | None
    to: list[Address]
    cc: list[Address]
    reply_to: list[Address]
    subject: str
    message_id: str
    in_reply_to: list[str]
    references: list[str]
    dated_at: datetime | None
    text: str
    html: str
    attachments: list[ParsedAttachment]
    content_type: str = "text/plain"
    report_type: str = ""
    part_types: list[str] = field(default_factory=list)
    #: What it is beside its words and files, as codes of `messaging.reasons`.
    seals: list[str] = field(default_factory=list)
    invitation: Invitation | None = None
    #: Who wrote the mails that are attached whole.
    attached_senders: list[Address] = field(default_factory=list)
    senders: list[Address] = field(default_factory=list)
    #: The headers of `TRACE` in their order, the newest first.
    trace: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next(iter(self.headers.get(name.lower(), [])), "")

    @property
    def recipients(self) -> list[str]:
        """Every address that the mail names as its destination, lower-case, envelope ones first."""
        found = [
            address.email.lower()
            for name in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
            for value in self.headers.get(name, [])
            for address in parse_addresses(value)
        ]
        found += [address.email.lower() for address in (*self.to, *self.cc)]
        return list(dict.fromkeys(found))


def parse(raw: bytes, *, max_bytes: int = MAX_BYTES) -> ParsedMail:
    """Read a raw mail; raises `MailRefused` at a limit and nothing else, whatever the bytes."""
    if len(raw) > max_bytes:
        raise MailRefused("too_large")
    check_limits(raw)
    try:
        message = BytesParser(policy=_Lenient(raw)).parsebytes(without_envelope_line(raw))
        return _read(message)
    except RecursionError:
        raise MailRefused("too_deep") from None


def parse_header(raw: bytes) -> ParsedMail | None:
    """The header alone of a mail that crosses a limit, so that people see whose it is and what it
    is about; none where that crosses one, too."""
    match = _HEADER_LINES.match(without_envelope_line(raw[: MAX_HEADER_BYTES + 1]))
    try:
        return parse(match[0]) if match else None
    except MailRefused:
        return None


def fingerprint(raw: bytes) -> str:
    """SHA-256 of what the sender wrote: the identifying headers and the body, not the trace.

    The same mail has the same fingerprint on every path that it took to us, line endings included.
    """
    mail = without_envelope_line(raw).replace(b"\r\n", b"\n")
    # As the parser reads it: the body begins with the first line that is no header, blank or not.
    headers = _HEADER_LINES.match(mail)
    head = headers[0] if headers else b""
    body = mail[len(head) :].removeprefix(b"\n")
    digest = hashlib.sha256()
    for match in _IDENTIFYING.finditer(head[:MAX_HEADER_BYTES]):
        digest.update(b" ".join(match[0].split()) + b"\n")
    digest.update(b"\n" + body.rstrip())
    return digest.hexdigest()


_HEADER_LINES = re.compile(rb"(?:(?:[!-9;-~]*:|From |[ \t])[^\n]*(?:\n|\Z))*")
_IDENTIFYING = re.compile(
    rb"^(?:From|To|Cc|Subject|Date|Message-ID|In-Reply-To|References|Content-Type)[ \t]*:"
    rb"[^\n]*(?:\n[ \t][^\n]*)*",
    re.IGNORECASE | re.MULTILINE,
)
_CHARSET = re.compile(rb'charset\s{0,5}=\s{0,5}"?([a-z0-9_-]{2,40})', re.I)


class _Lenient(Compat32):
    """The lenient policy, with raw 8-bit header bytes read as text instead of lost.

    Headers name no charset, so bytes that are not UTF-8 are read in the first one that the mail
    declares for a body.
    """

    def __init__(self, raw: bytes = b"") -> None:
        super().__init__()
        match = _CHARSET.search(raw[:MAX_HEADER_BYTES])
        object.__setattr__(self, "_charset", match[1].decode("ascii") if match else "")

    def clone(self, **kw: object) -> "_Lenient":
        return self

    def _sanitize_header(self, name: str, value: str) -> str:
        # Parameters are parsed in quadratic time; no real Content-* header is longer.
        value = value[: 20_000 if name.lower().startswith("content-") else 200_000]
        return eight_bit(value, self.__dict__["_charset"])


def without_envelope_line(raw: bytes) -> bytes:
    """The mail without what mailbox formats and careless pipes put before its first header."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    return raw


def _read(message: Message) -> ParsedMail:
    headers: dict[str, list[str]] = {}
    trace: list[tuple[str, str]] = []
    for name, value in message.items():
        name, value = name.lower(), decode_header(str(value)[:100_000])
        headers.setdefault(name, []).append(value)
        if name in TRACE:
            trace.append((name, value))
    bodies = Bodies()
    text, html = bodies.with_packed_words(*bodies.read(message))
    text, html = text[:MAX_BODY_CHARACTERS], html[:MAX_BODY_CHARACTERS]
    if html and not text:
        text = html_to_text(html)
    senders = parse_addresses_of(message, "From")
    fallback = parse_addresses_of(message, "Sender") or parse_addresses_of(message, "Reply-To")
    return ParsedMail(
        headers=headers,
        sender=next(iter(senders or fallback), None),
        senders=senders,
        to=parse_addresses_of(message, "To"),
        cc=parse_addresses_of(message, "Cc"),
        reply_to=parse_addresses_of(message, "Reply-To"),
        subject=one_line(next(iter(headers.get("subject", [])), ""), SUBJECT_LENGTH),
        message_id=next(iter(message_ids(_first(headers, "message-id"))), ""),
        in_reply_to=message_ids(_first(headers, "in-reply-to")),
        references=message_ids(_first(headers, "references")),
        dated_at=date_of(_first(headers, "date")),
        text=text[:MAX_BODY_CHARACTERS],
        html=html,
        attachments=[
            # Some programs call an image an attachment and show it all the same.
            replace(file, is_inline=file.is_inline or f"cid:{file.content_id}" in html)
            if file.content_id
            else file
            for file in bodies.attachments
        ],
        content_type=message.get_content_type(),
        report_type=str(parameter(message, "report-type")).lower(),
        part_types=bodies.part_types,
        seals=bodies.seals,
        invitation=bodies.invitation,
        attached_senders=bodies.attached_senders,
        trace=trace,
    )


def _first(headers: dict[str, list[str]], name: str) -> str:
    return next((value for value in headers.get(name, []) if value.strip()), "")
