"""Bytes of a mail as text: bodies by their charset, headers by their encoded words."""

import binascii
import re
from base64 import b64decode

from tickets.sanitise import storable

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
    value = re.sub(r"[\r\n]+[ \t]*", " ", eight_bit(value)).strip()
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


def eight_bit(value: str, charset: str = "") -> str:
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


#: Direction overrides and zero-width characters, which make "gpj.exe" look like "exe.jpg".
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u061c\u180e]")


def one_line(text: str, length: int) -> str:
    """Text fit for a subject or a name: one line, no control or direction characters, bounded."""
    text = INVISIBLE.sub("", storable(text))
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())[:length].strip()
