"""A `winmail.dat` as Outlook writes it, made byte by byte from MS-OXTNEF."""

from __future__ import annotations

import struct

MESSAGE_ID = bytes.fromhex("0703020000000000c000000000000046")


def attribute(level: int, name: int, kind: int, data: bytes) -> bytes:
    head = struct.pack("<BHHI", level, name, kind, len(data))
    return head + data + struct.pack("<H", sum(data) & 0xFFFF)


def long_property(name: int, value: str | bytes, *, kind: int = 0) -> bytes:
    if isinstance(value, str):
        kind, value = kind or 0x1F, value.encode("utf-16-le") + b"\0\0"
    padding = bytes(-len(value) % 4)
    head = struct.pack("<HHII", kind or 0x102, name, 1, len(value))
    return head + value + padding


def number_property(name: int, value: int) -> bytes:
    return struct.pack("<HHI", 3, name, value)


def properties(*given: bytes) -> bytes:
    return struct.pack("<I", len(given)) + b"".join(given)


def a_file(name: str, content: bytes, *more: bytes) -> bytes:
    short = name.encode("ascii", "replace")[:8] + b"\0"
    return (
        attribute(2, 0x9002, 6, bytes(14))
        + attribute(2, 0x8010, 1, short)
        + attribute(2, 0x800F, 6, content)
        + attribute(2, 0x9005, 6, properties(long_property(0x3707, name), *more))
    )


def winmail(*attributes: bytes, text: bytes = b"", html: str = "", rich: bool = False) -> bytes:
    about = [long_property(0x37, "Invoices")]
    if html:
        about += [number_property(0x3FDE, 65001), long_property(0x1013, html.encode())]
    if rich:
        about.append(long_property(0x1009, b"LZFu and so on"))
    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x9006, 8, struct.pack("<I", 0x10000))
        + attribute(1, 0x9007, 6, struct.pack("<II", 1250, 0))
        + (attribute(1, 0x800C, 1, text + b"\0") if text else b"")
        + attribute(1, 0x9003, 6, properties(*about))
        + b"".join(attributes)
    )


def a_message(name: str, inner: bytes) -> bytes:
    """A message that is packed into another."""
    data = long_property(0x3701, MESSAGE_ID + inner, kind=0x0D)
    return attribute(2, 0x9002, 6, bytes(14)) + attribute(
        2, 0x9005, 6, properties(long_property(0x3001, name), data)
    )
