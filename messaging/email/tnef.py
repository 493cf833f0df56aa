"""What Outlook packs into `winmail.dat` (TNEF, MS-OXTNEF): files, and words that are text.

A reader of its own, because every count in the bytes is a stranger's: here none is believed beyond
the bytes that are there, and nothing is read twice.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from messaging.email.charsets import decode_text

SIGNATURE: Final = 0x223E9F78
#: Attributes, properties and their values, all together; a real one has some hundreds.
MAX_VALUES: Final = 50_000
MAX_FILES: Final = 500
#: How deeply messages may be packed into one another.
MAX_DEPTH: Final = 5

_ATTACHMENT_LEVEL: Final = 2
_BODY, _CODE_PAGE, _PROPERTIES = 0x800C, 0x9007, 0x9003
_FILE_BEGINS, _FILE_TITLE, _FILE_DATA, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005

_SUBJECT, _TEXT, _RTF, _HTML, _INTERNET_CODE_PAGE = 0x0037, 0x1000, 0x1009, 0x1013, 0x3FDE
_DISPLAY_NAME, _DATA, _NAME, _LONG_NAME = 0x3001, 0x3701, 0x3704, 0x3707
_MIME_TYPE, _CONTENT_ID = 0x370E, 0x3712

_STRING, _UNICODE, _OBJECT, _BINARY = 0x001E, 0x001F, 0x000D, 0x0102
_SIZES: Final = {
    0x0001: 0, 0x0002: 2, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4,
    0x000B: 2, 0x0014: 8, 0x0040: 8, 0x0048: 16,
}  # fmt: skip
_SEVERAL: Final = 0x1000
_NAMED: Final = 0x8000
#: The interface id of a message, before one that is packed into another (MS-OXTNEF 2.1.3.3.15).
_MESSAGE: Final = bytes.fromhex("0703020000000000c000000000000046")


#: Values by the number of their property, each with its type.
Properties = dict[int, tuple[int, bytes]]


@dataclass(frozen=True)
class PackedFile:
    name: str
    content: bytes = field(repr=False)
    content_type: str = ""
    content_id: str = ""


@dataclass
class Unpacked:
    """What was in it. `is_rich` when it holds words as RTF, which nobody reads here."""

    text: str = ""
    html: str = ""
    is_rich: bool = False
    subject: str = ""
    files: list[PackedFile] = field(default_factory=list)


class _IsBroken(Exception):
    """The bytes are not what they say, or say that there is more than anybody sends."""


@dataclass
class _Budget:
    left: int = MAX_VALUES

    def take(self, count: int = 1) -> None:
        self.left -= count
        if self.left < 0:
            raise _IsBroken


def unpack(content: bytes) -> Unpacked | None:
    """Everything in it, or nothing at all when the bytes are broken; never raises."""
    try:
        return _message(memoryview(content), _Budget())
    except (_IsBroken, struct.error):
        return None


def _message(given: memoryview, budget: _Budget, depth: int = 0) -> Unpacked:
    signature, _key = struct.unpack_from("<IH", given)
    if signature != SIGNATURE or depth > MAX_DEPTH:
        raise _IsBroken
    found = Unpacked()
    code_page = ""
    files: list[Properties] = []
    at = 6
    while at < len(given):
        budget.take()
        level, name, _type, length = struct.unpack_from("<BHHI", given, at)
        data = _taken(given, at + 9, length)
        at += 9 + length + 2
        if name == _CODE_PAGE and length >= 4:
            code_page = _charset(struct.unpack_from("<I", data)[0])
        elif level == _ATTACHMENT_LEVEL:
            _note(files, name, data, budget)
        elif name == _BODY:
            found.text = decode_text(_without_end(bytes(data)), code_page)
        elif name == _PROPERTIES:
            _words(found, _properties(data, budget), code_page)
    for properties in files:
        _add(found, properties, code_page, budget, depth)
    return found


def _note(files: list[Properties], name: int, data: memoryview, budget: _Budget) -> None:
    if name == _FILE_BEGINS:
        if len(files) >= MAX_FILES:
            raise _IsBroken
        files.append({})
    elif not files:
        raise _IsBroken
    elif name == _FILE_TITLE:
        files[-1].setdefault(_NAME, (_STRING, bytes(data)))
    elif name == _FILE_DATA:
        files[-1].setdefault(_DATA, (_BINARY, bytes(data)))
    elif name == _FILE_PROPERTIES:
        files[-1].update(_properties(data, budget))


def _words(found: Unpacked, properties: Properties, code_page: str) -> None:
    kind, number = properties.get(_INTERNET_CODE_PAGE, (0, b""))
    of_html = _charset(int.from_bytes(number[:4], "little")) if kind else code_page
    found.text = _text(properties.get(_TEXT), code_page) or found.text
    found.html = _text(properties.get(_HTML), of_html) or found.html
    found.subject = _text(properties.get(_SUBJECT), code_page) or found.subject
    found.is_rich = found.is_rich or _RTF in properties


def _add(
    found: Unpacked,
    properties: Properties,
    code_page: str,
    budget: _Budget,
    depth: int,
) -> None:
    def text(*names: int) -> str:
        return next(filter(None, (_text(properties.get(one), code_page) for one in names)), "")

    kind, content = properties.get(_DATA, (0, b""))
    name = text(_LONG_NAME, _NAME, _DISPLAY_NAME)
    if kind != _OBJECT or not content.startswith(_MESSAGE):
        if kind == _OBJECT:
            content = content[16:]  # An object is preceded by the id of what reads it.
        if content or name:
            found.files.append(PackedFile(name, content, text(_MIME_TYPE), text(_CONTENT_ID)))
    else:
        inner = _message(memoryview(content)[len(_MESSAGE) :], budget, depth + 1)
        title = name or inner.subject or "message"
        if inner.html:
            found.files.append(PackedFile(f"{title}.html", inner.html.encode(), "text/html"))
        elif inner.text:
            found.files.append(PackedFile(f"{title}.txt", inner.text.encode(), "text/plain"))
        found.files += inner.files
    if len(found.files) > MAX_FILES:
        raise _IsBroken


def _properties(given: memoryview, budget: _Budget) -> Properties:
    """The values of a list of MAPI properties by their number, the first where there are several.

    Named properties are passed over: none that is wanted here has a name.
    """
    found: Properties = {}
    (count,) = struct.unpack_from("<I", given)
    budget.take(count)
    at = 4
    for _number in range(count):
        kind, name = struct.unpack_from("<HH", given, at)
        at += 4
        if name >= _NAMED:
            (by_name,) = struct.unpack_from("<I", given, at + 16)
            (length,) = struct.unpack_from("<I", given, at + 20)
            at += 24 + (_padded(length) if by_name else 0)
        values = 1
        is_long = kind & ~_SEVERAL in (_STRING, _UNICODE, _OBJECT, _BINARY)
        if is_long or kind & _SEVERAL:
            (values,) = struct.unpack_from("<I", given, at)
            at += 4
        kind &= ~_SEVERAL
        if is_long:
            budget.take(values)
            for index in range(values):
                (length,) = struct.unpack_from("<I", given, at)
                value = _taken(given, at + 4, length)
                at += 4 + _padded(length)
                if index == 0 and name < _NAMED:
                    found.setdefault(name, (kind, bytes(value)))
            continue
        size = _SIZES.get(kind)
        if size is None:
            raise _IsBroken
        value = _taken(given, at, size * values)
        if values and name < _NAMED:
            found.setdefault(name, (kind, bytes(value[:size])))
        at += _padded(size * values)
    return found


def _taken(given: memoryview, at: int, length: int) -> memoryview:
    if at + length > len(given):
        raise _IsBroken
    return given[at : at + length]


def _padded(length: int) -> int:
    return length + -length % 4


def _text(value: tuple[int, bytes] | None, code_page: str) -> str:
    if value is None:
        return ""
    kind, content = value
    if kind == _UNICODE:
        return decode_text(content, "utf-16-le").rstrip("\0")
    return decode_text(_without_end(content), code_page) if kind in (_STRING, _BINARY) else ""


def _without_end(content: bytes) -> bytes:
    return content.rstrip(b"\0")


def _charset(code_page: int) -> str:
    return {65001: "utf-8", 20127: "us-ascii", 28591: "iso-8859-1", 20866: "koi8-r"}.get(
        code_page, f"cp{code_page}" if code_page < 2000 else ""
    )
