"""How much one mail may hold, before its parts are read and while they are."""

import io
import re
import zipfile

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


class MailRefused(Exception):
    """The mail crosses a limit, so it is kept aside; `reason` is a code of `messaging.reasons`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_BOUNDARY = re.compile(rb'boundary\s{0,20}=\s{0,20}(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.I)
_NESTED_MESSAGE = re.compile(rb"^content-type:\s{0,20}message/", re.I | re.M)
_DASHED = re.compile(rb"^--([^\r\n]{1,200})", re.M)


def check_limits(raw: bytes) -> None:
    """Refuse what would take the parser too long, by the bytes alone."""
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


def refuse_bombs(content: bytes) -> None:
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
