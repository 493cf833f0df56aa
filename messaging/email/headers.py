"""What the headers of a mail name: addresses, ids, the date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from messaging.email.charsets import decode_header, eight_bit, one_line
from messaging.email.limits import MAX_ADDRESSES

NAME_LENGTH = 200
#: How the standard library's accessors fail on values that it does not expect.
LIBRARY_FAULTS = (LookupError, ValueError, TypeError, AttributeError, AssertionError)

_ADDRESS = re.compile(
    r"[^\s@<>()\[\]\\,;:\"'`\x00-\x20\x7f-\xa0][^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\xa0]{0,63}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){0,8}[^\W_](?:[\w-]{0,61}[^\W_])?"
)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")


@dataclass(frozen=True)
class Address:
    email: str
    name: str = ""


def parse_addresses_of(message: Message, name: str) -> list[Address]:
    found: list[Address] = []
    for value in message.get_all(name, []):
        found += parse_addresses(str(value))
        if len(found) >= MAX_ADDRESSES:
            break
    return found[:MAX_ADDRESSES]


def parse_addresses(value: str) -> list[Address]:
    """The usable addresses in a header value, in order, each with its name."""
    value = re.sub(r"[\r\n]+[ \t]*", " ", eight_bit(value[:100_000]))
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


def date_of(value: str) -> datetime | None:
    """The moment that a Date header names, if it is a likely one."""
    try:
        date = parsedate_to_datetime(value[:200])
    except (*LIBRARY_FAULTS, OverflowError):
        return None
    try:
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return date if 1980 <= date.year <= 2200 else None
