"""The parts of a mail: its bodies as text and HTML, and its files."""

import mimetypes
import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

from messaging.email import tnef
from messaging.email.calendar import Invitation, read_invitation
from messaging.email.charsets import INVISIBLE, decode_header, decode_text
from messaging.email.headers import LIBRARY_FAULTS, Address, parse_addresses_of
from messaging.email.limits import (
    MAX_DEPTH,
    MAX_FILE_NAME,
    MAX_PARTS,
    MAX_UU_CHARACTERS,
    MailRefused,
    refuse_bombs,
)
from messaging.email.seals import seal_of, without_armour
from tickets.sanitise import html_to_text, storable, text_to_html


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


class Bodies:
    """Walks the parts once and sorts them into text, HTML and attachments."""

    def __init__(self) -> None:
        self.attachments: list[ParsedAttachment] = []
        self.part_types: list[str] = []
        self._parts = 0
        #: Codes of what is signed or encrypted, each once.
        self.seals: list[str] = []
        #: Who wrote the mails that are attached whole.
        self.attached_senders: list[Address] = []
        self.invitation: Invitation | None = None
        self._packed: list[tuple[Message, tnef.Unpacked]] = []

    def read(self, part: Message, depth: int = 0) -> tuple[str, str]:
        self._parts += 1
        if depth > MAX_DEPTH:
            raise MailRefused("too_deep")
        if self._parts > MAX_PARTS:
            raise MailRefused("too_many_parts")
        content_type = part.get_content_type()
        self.part_types.append(content_type)
        self._note_seal(seal_of(content_type, parameter(part, "smime-type").lower()))
        payload = part.get_payload()
        if content_type.startswith("message/") and isinstance(payload, list):
            self._keep(part, content_type, _bytes_of_message(part))
            self.attached_senders += [
                sender
                for inner in payload
                if content_type == "message/rfc822" and isinstance(inner, Message)
                for sender in parse_addresses_of(inner, "From")[:1]
            ]
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
            text = decode_text(content, str(parameter(part, "charset")))
            if content_type == "text/html":
                return "", text
            return self._without_armour(_unflowed(text, part)), ""
        if content_type == "text/calendar" and content:
            charset = str(parameter(part, "charset"))
            self.invitation = self.invitation or read_invitation(content, charset)
        if is_packed(content_type, _raw_file_name(part)) and self._unpack(part, content):
            return "", ""
        if content or named:
            self._keep(part, content_type, content)
        return "", ""

    def _note_seal(self, code: str) -> None:
        if code and code not in self.seals:
            self.seals.append(code)

    def _without_armour(self, text: str) -> str:
        text, hidden, code = without_armour(text)
        self._note_seal(code)
        if hidden:
            self._add("message.asc", "application/pgp-encrypted", hidden.encode())
        return text

    def _unpack(self, part: Message, content: bytes) -> bool:
        """Take what is in a `winmail.dat` for parts of the mail; not if it is broken or empty."""
        unpacked = tnef.unpack(content)
        if unpacked is None or unpacked == tnef.Unpacked(subject=unpacked.subject):
            return False
        self._parts += len(unpacked.files)
        if self._parts > MAX_PARTS:
            raise MailRefused("too_many_parts")
        for file in unpacked.files:
            kind = file.content_type or mimetypes.guess_type(file.name)[0] or ""
            self._add(file.name, kind, file.content, content_id=file.content_id)
        self._packed.append((part, unpacked))
        return True

    def with_packed_words(self, text: str, html: str) -> tuple[str, str]:
        """The bodies that were read, or where there are none, those that were packed.

        Words that are packed as RTF alone are no text to us: the file is kept then.
        """
        if text.strip() or html.strip():
            return text, html
        for part, unpacked in self._packed:
            if unpacked.text.strip() or unpacked.html.strip():
                return unpacked.text, unpacked.html
            if unpacked.is_rich:
                self._keep(part, part.get_content_type(), _content(part))
        return "", ""

    def _keep(self, part: Message, content_type: str, content: bytes) -> None:
        content_id = str(part.get("Content-ID") or "")
        self._add(
            _raw_file_name(part),
            content_type,
            content,
            content_id=content_id,
            is_inline=bool(content_id) and _disposition(part) != "attachment",
        )

    def _add(
        self,
        name: str,
        content_type: str,
        content: bytes,
        *,
        content_id: str = "",
        is_inline: bool = False,
    ) -> None:
        if len(name) > MAX_FILE_NAME:
            raise MailRefused("file_name_too_long")
        if not re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,100}", content_type, re.ASCII):
            content_type = "application/octet-stream"
        refuse_bombs(content)
        content_id = storable(content_id).strip().strip("<>")[:250]
        self.attachments.append(
            ParsedAttachment(
                name=file_name(name, content_type, len(self.attachments) + 1),
                content_type=content_type,
                content=content,
                content_id=content_id,
                is_inline=is_inline and bool(content_id),
            )
        )


def is_packed(content_type: str, name: str) -> bool:
    """Whether it is what Outlook packs a mail into for those who use Outlook."""
    return (
        content_type in {"application/ms-tnef", "application/vnd.ms-tnef"}
        or name.strip().lower() == "winmail.dat"
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
    if str(parameter(part, "format")).lower() != "flowed":
        return text
    delete_space = str(parameter(part, "delsp")).lower() == "yes"
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
    except LIBRARY_FAULTS:
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
        except LIBRARY_FAULTS:
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


def parameter(part: Message, name: str) -> str:
    """A parameter of the part's Content-Type, or an empty string."""
    try:
        value = part.get_param(name, "")
        return storable(str(collapse_rfc2231_value(value))) if value else ""
    except LIBRARY_FAULTS:
        return ""


def _disposition(part: Message) -> str:
    return str(part.get("Content-Disposition") or "").partition(";")[0].strip().lower()


def _raw_file_name(part: Message) -> str:
    try:
        name = part.get_filename("")
    except LIBRARY_FAULTS:
        match = re.search(
            r'name\*?[0-9]*\*?="?([^";]{1,2000})', str(part.get("Content-Disposition"))
        )
        name = match[1] if match else ""
    return decode_header(str(name or "")[:20_000])


#: Where the list of the machine knows none, or another one than people do.
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/pgp-encrypted": ".asc",
    "application/pgp-signature": ".asc",
}


def file_name(name: str, content_type: str = "application/octet-stream", number: int = 1) -> str:
    """A name that is safe to show and to offer for download; never empty, at most 150 characters.

    It is a label: files are stored under names of our own.
    """
    name = re.sub(r"[\s]+", " ", storable(name))
    name = INVISIBLE.sub("", re.split(r"[/\\]", name)[-1]).strip(" .")
    if not name:
        extension = _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type)
        return f"attachment-{number}{extension or '.bin'}"
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 20:
        return name[:150]
    return f"{stem[: 149 - len(extension)]}.{extension}"
