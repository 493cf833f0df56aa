"""Raw mail to `ParsedMail`, for any bytes at all.

Uses the standard library's parser with its lenient policy: the modern one raises on headers that
real mail is full of. Header values are decoded here, because a wrong charset or a torn encoded
word must cost at most a few characters and never the mail.
"""

import binascii
import hashlib
import io
import mimetypes
import re
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from email.utils import collapse_rfc2231_value, parsedate_to_datetime

from tickets.sanitise import html_to_text, storable, text_to_html

MAX_BYTES = 25 * 1024 * 1024
MAX_PARTS = 1_000
MAX_DEPTH = 50
MAX_LINES = 1_000_000
MAX_HEADER_BYTES = 512 * 1024
MAX_FILE_NAME = 1_000
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
MAX_ADDRESSES = 500
MAX_BODY_CHARACTERS = 1_000_000
#: The standard parser tests every line against every open boundary.
MAX_BOUNDARY_TESTS = 5_000_000
MAX_UU_CHARACTERS = 2_000_000
SUBJECT_LENGTH = 500
NAME_LENGTH = 200


class MailRefused(Exception):
    """The mail crosses a limit, so it is kept aside; `reason` is a code of `messaging.reasons`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Address:
    email: str
    name: str = ""


@dataclass(frozen=True)
class ParsedAttachment:
    name: str
    content_type: str
    content: bytes = field(repr=False)
    content_id: str = ""
    is_inline: bool = False

    @property
    def size(self) -> int:
        return len(self.content)


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
    senders: list[Address] = field(default_factory=list)
    #: Received and Authentication-Results in their order, the newest first.
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
    _check_limits(raw)
    try:
        message = BytesParser(policy=_Lenient(raw)).parsebytes(_without_envelope_line(raw))
        return _read(message)
    except RecursionError:
        raise MailRefused("too_deep") from None


def fingerprint(raw: bytes) -> str:
    """SHA-256 of what the sender wrote: the identifying headers and the body, not the trace.

    The same mail has the same fingerprint on every path that it took to us, line endings included.
    """
    mail = _without_envelope_line(raw).replace(b"\r\n", b"\n")
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
_BOUNDARY = re.compile(rb'boundary\s{0,20}=\s{0,20}(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_NESTED_MESSAGE = re.compile(rb"^content-type:\s{0,20}message/", re.I | re.M)
_CHARSET = re.compile(rb'charset\s{0,5}=\s{0,5}"?([a-z0-9_-]{2,40})', re.I)
_DASHED = re.compile(rb"^--([^\r\n]{1,200})", re.M)


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
        return _eight_bit(value, self.__dict__["_charset"])


def _without_envelope_line(raw: bytes) -> bytes:
    """The mail without what mailbox formats and careless pipes put before its first header."""
    raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    return raw


def _check_limits(raw: bytes) -> None:
    if not raw.strip():
        raise MailRefused("empty")
    head_ends = min(
        (at for at in (raw.find(b"\n\n"), raw.find(b"\n\r\n"), raw.find(b"\r\r")) if at >= 0),
        default=len(raw),
    )
    if head_ends > MAX_HEADER_BYTES and b":" in raw[:1000]:
        raise MailRefused("header_too_large")
    lines = max(raw.count(b"\n"), raw.count(b"\r"))
    if lines > MAX_LINES:
        raise MailRefused("too_many_lines")
    boundaries: set[bytes] = set()
    for match in _BOUNDARY.finditer(raw):
        boundaries.add(match[1] or match[2])
        if len(boundaries) > MAX_PARTS:
            raise MailRefused("too_many_parts")
    messages = sum(1 for _ in _NESTED_MESSAGE.finditer(raw))
    if messages > MAX_PARTS:
        raise MailRefused("too_many_parts")
    if len(boundaries) + messages > 2 * MAX_DEPTH:
        raise MailRefused("too_deep")
    if lines * (len(boundaries) + messages) > MAX_BOUNDARY_TESTS:
        raise MailRefused("too_deep")
    if boundaries:
        parts = 0
        for match in _DASHED.finditer(raw):
            line = match[1].rstrip()
            parts += line in boundaries
            if parts > MAX_PARTS:
                raise MailRefused("too_many_parts")


def _read(message: Message) -> ParsedMail:
    headers: dict[str, list[str]] = {}
    trace: list[tuple[str, str]] = []
    for name, value in message.items():
        name, value = name.lower(), decode_header(str(value)[:100_000])
        headers.setdefault(name, []).append(value)
        if name in {"received", "authentication-results"}:
            trace.append((name, value))
    bodies = _Bodies()
    text, html = bodies.read(message)
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
        dated_at=_date(_first(headers, "date")),
        text=text[:MAX_BODY_CHARACTERS],
        html=html[:MAX_BODY_CHARACTERS],
        attachments=[
            # Some programs call an image an attachment and show it all the same.
            replace(file, is_inline=file.is_inline or f"cid:{file.content_id}" in html)
            if file.content_id
            else file
            for file in bodies.attachments
        ],
        content_type=message.get_content_type(),
        report_type=str(_parameter(message, "report-type")).lower(),
        part_types=bodies.part_types,
        trace=trace,
    )


def _first(headers: dict[str, list[str]], name: str) -> str:
    return next((value for value in headers.get(name, []) if value.strip()), "")


#: How the standard library's accessors fail on values that it does not expect.
_LIBRARY_FAULTS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)


class _Bodies:
    """Walks the parts once and sorts them into text, HTML and attachments."""

    def __init__(self) -> None:
        self.attachments: list[ParsedAttachment] = []
        self.part_types: list[str] = []
        self._parts = 0

    def read(self, part: Message, depth: int = 0) -> tuple[str, str]:
        self._parts += 1
        if depth > MAX_DEPTH:
            raise MailRefused("too_deep")
        if self._parts > MAX_PARTS:
            raise MailRefused("too_many_parts")
        content_type = part.get_content_type()
        self.part_types.append(content_type)
        payload = part.get_payload()
        if content_type.startswith("message/") and isinstance(payload, list):
            self._keep(part, content_type, _bytes_of_message(part))
            return "", ""
        if isinstance(payload, list):
            children = [
                self.read(child, depth + 1) for child in payload if isinstance(child, Message)
            ]
            if content_type == "multipart/alternative":
                return (
                    next((text for text, _ in children if text.strip()), ""),
                    next((html for _, html in children if html.strip()), ""),
                )
            return _joined(children)
        return self._leaf(part, content_type)

    def _leaf(self, part: Message, content_type: str) -> tuple[str, str]:
        content = _content(part)
        disposition = _disposition(part)
        named = bool(_raw_file_name(part))
        is_body = content_type in {"text/plain", "text/html"} or content_type.startswith(
            "multipart/"
        )
        if is_body and disposition != "attachment" and not (named and disposition == "inline"):
            text = decode_text(content, str(_parameter(part, "charset")))
            if content_type == "text/html":
                return "", text
            return _unflowed(text, part), ""
        if content or named:
            self._keep(part, content_type, content)
        return "", ""

    def _keep(self, part: Message, content_type: str, content: bytes) -> None:
        name = _raw_file_name(part)
        if len(name) > MAX_FILE_NAME:
            raise MailRefused("file_name_too_long")
        if not re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,100}", content_type, re.ASCII):
            content_type = "application/octet-stream"
        _refuse_bombs(content)
        content_id = storable(str(part.get("Content-ID") or "")).strip().strip("<>")[:250]
        self.attachments.append(
            ParsedAttachment(
                name=file_name(name, content_type, len(self.attachments) + 1),
                content_type=content_type,
                content=content,
                content_id=content_id,
                is_inline=bool(content_id) and _disposition(part) != "attachment",
            )
        )


def _joined(children: list[tuple[str, str]]) -> tuple[str, str]:
    """Sibling bodies one after the other; each form is made from the other where it is missing."""
    children = [(text, html) for text, html in children if text.strip() or html.strip()]
    if not any(html for _, html in children):
        return "\n\n".join(text.strip("\n") for text, _ in children), ""
    if len(children) == 1:
        return children[0]
    return (
        "\n\n".join((text or html_to_text(html)).strip("\n") for text, html in children),
        "\n".join(html or text_to_html(text) for text, html in children),
    )


def _unflowed(text: str, part: Message) -> str:
    """Text of RFC 3676 with its soft line breaks joined, so that paragraphs are whole again."""
    if str(_parameter(part, "format")).lower() != "flowed":
        return text
    delete_space = str(_parameter(part, "delsp")).lower() == "yes"
    lines: list[str] = []
    open_line = False
    for line in text.split("\n"):
        quoted = line.startswith(">")
        if not quoted:
            line = line.removeprefix(" ")
        if open_line and not quoted and line != "-- ":
            lines[-1] = (lines[-1][:-1] if delete_space else lines[-1]) + line
        else:
            lines.append(line)
        open_line = line.endswith(" ") and line != "-- " and not quoted
    return "\n".join(lines)


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    slow = "uu" in str(part.get("Content-Transfer-Encoding")) and len(payload) > MAX_UU_CHARACTERS
    try:
        content = None if slow else part.get_payload(decode=True)
    except _LIBRARY_FAULTS:
        content = None
    if isinstance(content, bytes):
        return content
    if isinstance(payload, str):
        return payload.encode(
            "ascii", "surrogateescape" if _has_only_escapes(payload) else "replace"
        )
    return b""


def _has_only_escapes(text: str) -> bool:
    return all(ord(c) < 128 or 0xDC80 <= ord(c) <= 0xDCFF for c in text)


def _bytes_of_message(part: Message) -> bytes:
    inner = part.get_payload()
    pieces: list[bytes] = []
    for message in inner if isinstance(inner, list) else []:
        if not isinstance(message, Message):
            continue
        try:
            pieces.append(message.as_bytes())
        except _LIBRARY_FAULTS:
            pieces.append(_plain_bytes(message))
    return b"\n".join(pieces)


def _plain_bytes(message: Message) -> bytes:
    """The message written out without the library's generator, which some mails break."""
    lines = [f"{name}: {value}" for name, value in message.raw_items()]
    payload = message.get_payload()
    if isinstance(payload, list):
        body = b"\n".join(_plain_bytes(part) for part in payload if isinstance(part, Message))
    else:
        body = str(payload or "").encode("utf-8", "surrogateescape")
    return "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + body


def _parameter(part: Message, name: str) -> str:
    try:
        value = part.get_param(name, "")
        return storable(str(collapse_rfc2231_value(value))) if value else ""
    except _LIBRARY_FAULTS:
        return ""


def _disposition(part: Message) -> str:
    return str(part.get("Content-Disposition") or "").partition(";")[0].strip().lower()


def _raw_file_name(part: Message) -> str:
    try:
        name = part.get_filename("")
    except _LIBRARY_FAULTS:
        match = re.search(
            r'name\*?[0-9]*\*?="?([^";]{1,2000})', str(part.get("Content-Disposition"))
        )
        name = match[1] if match else ""
    return decode_header(str(name or "")[:20_000])


def file_name(name: str, content_type: str = "application/octet-stream", number: int = 1) -> str:
    """A name that is safe to show and to offer for download; never empty, at most 150 characters.

    It is a label: files are stored under names of our own.
    """
    name = re.sub(r"[\s]+", " ", storable(name))
    name = _INVISIBLE.sub("", re.split(r"[/\\]", name)[-1]).strip(" .")
    if not name:
        extension = mimetypes.guess_extension(content_type) or ".bin"
        return f"attachment-{number}{'.eml' if content_type == 'message/rfc822' else extension}"
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 20:
        return name[:150]
    return f"{stem[: 149 - len(extension)]}.{extension}"


#: Direction overrides and zero-width characters, which make "gpj.exe" look like "exe.jpg".
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u061c\u180e]")


def _refuse_bombs(content: bytes) -> None:
    """Refuse an archive that claims to unpack to more than a gigabyte. Nothing here unpacks one."""
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return
    if content.count(b"PK\x01\x02") > 20_000:
        raise MailRefused("archive_bomb")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise MailRefused("archive_bomb")
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError, KeyError):
        return
    except (OverflowError, MemoryError, IndexError):
        raise MailRefused("archive_bomb") from None


# Text ------------------------------------------------------------------------------------------

#: What mail programs write, and the superset or the right name that reads it.
_CHARSETS = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "default": "utf-8",
    "utf8mb4": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "windows-874": "cp874",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "cp-850": "cp850",
    "windows-31j": "cp932",
    "x-windows-949": "cp949",
}
#: Python calls these text encodings; no mail means them, and some take quadratic time.
_NOT_CHARSETS = {
    "idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "undefined",
    "raw-unicode-escape", "mbcs", "oem", "rot13", "rot_13", "rot-13",
}  # fmt: skip


def decode_text(content: bytes, charset: str = "") -> str:
    """Bytes as text by the declared charset, else by what they can be; never fails.

    Line ends become `\\n`; characters that cannot be stored are removed.
    """
    charset = charset.strip().strip("\"'").lower().partition(";")[0].strip()[:60]
    charset = _CHARSETS.get(charset, charset)
    tried = ["utf-8"] if not charset or charset in _NOT_CHARSETS else [charset, "utf-8"]
    if charset.startswith("utf-16") and b"\x00" not in content:
        tried.reverse()  # Declared by mistake: two-byte text without a single zero byte is rare.
    text = None
    for candidate in tried:
        try:
            text = content.decode(candidate)
            break
        except (LookupError, UnicodeError, ValueError):
            continue
    if text is None:
        text = _decode_anyway(content, charset)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return storable(text)


def _decode_anyway(content: bytes, charset: str) -> str:
    """Bytes that no candidate reads without fault."""
    if charset and charset not in _NOT_CHARSETS:
        try:
            text = content.decode(charset, "replace")
            if charset not in {"utf-8", "utf8", "cp1252"} or text.count("\ufffd") * 20 < len(text):
                return text
        except (LookupError, UnicodeError, ValueError):
            pass
    return content.decode("cp1252", "replace")


_ENCODED_WORD = re.compile(r"=\?([^\s?*]{1,60})(?:\*[^\s?]{0,20})?\?([bBqQ])\?([^?]{0,4000})\?=")


def decode_header(value: str) -> str:
    """An unfolded header value with its RFC 2047 words read, however torn they are.

    Bytes of neighbouring words in one charset are joined first, because senders cut characters
    in two.
    """
    value = re.sub(r"[\r\n]+[ \t]*", " ", _eight_bit(value)).strip()
    if "=?" not in value:
        return storable(value)
    pieces: list[str] = []
    held, held_charset = b"", ""
    position = 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        charset, encoded = match[1].lower(), match[3]
        if held_charset and (between.strip() or charset != held_charset):
            pieces.append(decode_text(held, held_charset))
            held = b""
        if between.strip() or not held_charset:
            pieces.append(between)
        held_charset = charset
        held += _base64(encoded) if match[2] in "bB" else _quoted(encoded)
        position = match.end()
    if held_charset:
        pieces.append(decode_text(held, held_charset))
    pieces.append(value[position:])
    return storable("".join(pieces)).replace("\n", " ")


def _eight_bit(value: str, charset: str = "") -> str:
    """Text that the parser read as ASCII with escaped bytes, with those bytes as characters."""
    if value.isascii():
        return value
    try:
        content = value.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return storable(value)
    try:
        return storable(content.decode("utf-8"))
    except UnicodeDecodeError:
        return decode_text(content, charset)


def _base64(encoded: str) -> bytes:
    encoded = re.sub(r"[^A-Za-z0-9+/]", "", encoded)
    if len(encoded) % 4 == 1:
        encoded = encoded[:-1]
    try:
        return b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return b""


def _quoted(encoded: str) -> bytes:
    plain = encoded.replace("_", " ").encode("utf-8", "replace")
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), plain)


def one_line(text: str, length: int) -> str:
    """Text fit for a subject or a name: one line, no control or direction characters, bounded."""
    text = _INVISIBLE.sub("", storable(text))
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())[:length].strip()


# Addresses, dates, ids ---------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"'`\x00-\x20\x7f-\xa0][^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\xa0]{0,63}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){0,8}[^\W_](?:[\w-]{0,61}[^\W_])?"
)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")


def parse_addresses_of(message: Message, name: str) -> list[Address]:
    found: list[Address] = []
    for value in message.get_all(name, []):
        found += parse_addresses(str(value))
        if len(found) >= MAX_ADDRESSES:
            break
    return found[:MAX_ADDRESSES]


def parse_addresses(value: str) -> list[Address]:
    """The usable addresses in a header value, in order, each with its name."""
    value = re.sub(r"[\r\n]+[ \t]*", " ", _eight_bit(value[:100_000]))
    found: list[Address] = []
    for entry in _entries(value):
        address = _address(entry)
        if address is not None:
            found.append(address)
        if len(found) >= MAX_ADDRESSES:
            break
    return found


def _entries(value: str) -> Iterator[str]:
    """The value cut at commas, semicolons and group names outside quotes and brackets."""
    entry: list[str] = []
    quoted = escaped = angled = False
    comment = 0
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\" and (quoted or comment):
            escaped = True
        elif character == '"' and not comment:
            quoted = not quoted
        elif not quoted:
            comment += (character == "(") - (character == ")" and comment > 0)
            if not comment:
                angled = character == "<" or (angled and character != ">")
                if character in ",;" and not angled:
                    yield "".join(entry)
                    entry = []
                    continue
                if character == ":" and not angled and "@" not in entry:
                    entry = []
                    continue
        entry.append(character)
    rest = "".join(entry)
    yield rest
    if quoted or comment or angled:  # Unbalanced: take what the commas give.
        yield from rest.split(",")[1:]


def _address(entry: str) -> Address | None:
    before, bracket, after = entry.rpartition("<")
    match = _ADDRESS.search(after if bracket else entry)
    if match is None:
        match = _ADDRESS.search(entry)
        before = ""
    if match is None or len(match[0]) > 254:
        return None
    local, _, domain = match[0].rpartition("@")
    name = before
    if not bracket:
        comment = re.search(r"\(([^()]{1,300})\)", entry)
        name = comment[1] if comment else ""
    name = decode_header(re.sub(r"\\(.)", r"\1", name).strip().strip("\"'").strip())
    return Address(f"{local}@{domain.lower()}", one_line(name.strip("\"' "), NAME_LENGTH))


def message_ids(value: str) -> list[str]:
    """The message ids in a header value, in angle brackets, at most 100 and the newest of them."""
    value = value[-100_000:]
    found = [f"<{match[1]}>" for match in _MESSAGE_ID.finditer(value)]
    if not found and 0 < len(value.split()) <= 3:
        bare = value.split()[0].strip("<>")
        found = [f"<{bare[:900]}>"] if bare else []
    return list(dict.fromkeys(found))[-100:]


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:200])
    except (*_LIBRARY_FAULTS, OverflowError):
        return None
    try:
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return date if 1980 <= date.year <= 2200 else None
