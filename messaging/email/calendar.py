"""What an invitation says: the few properties of iCalendar (RFC 5545) that a reader asks for.

A reader of its own: recurrence, alarms and time zone tables are left to the calendar that opens
the file, and a stranger's file is read in one pass of bounded length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from messaging.email.charsets import decode_text, one_line

MAX_BYTES: Final = 500_000
MAX_LINES: Final = 5_000
_LENGTH: Final = 200
_PROPERTY = re.compile(r'([A-Za-z-]{1,40})((?:;[A-Za-z-]{1,40}=(?:"[^"]*"|[^";:]*))*):(.*)')
_PARAMETER = re.compile(r';([A-Za-z-]{1,40})=(?:"([^"]*)"|([^";:]*))')
_CODES: Final = {"CANCEL": "invitation_cancelled", "REPLY": "invitation_answered"}


@dataclass(frozen=True)
class Invitation:
    """The first event of a calendar file. Times are ISO 8601: of a day, of a moment with its
    distance from UTC, or of a clock on the wall where the zone is nobody's."""

    code: str
    summary: str
    starts: str = ""
    ends: str = ""
    where: str = ""
    organiser: str = ""

    def as_reason(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}


def read_invitation(content: bytes, charset: str = "") -> Invitation | None:
    """The first event in it; nothing when there is none, or the file is no calendar."""
    text = re.sub(r"\n[ \t]", "", decode_text(content[:MAX_BYTES], charset or "utf-8"))
    inside: list[str] = []
    found: dict[str, tuple[dict[str, str], str]] = {}
    method = ""
    for line in text.split("\n")[:MAX_LINES]:
        match = _PROPERTY.fullmatch(line.strip())
        if match is None:
            continue
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            inside.append(value.upper())
        elif name == "END":
            if inside and inside.pop() == "VEVENT":
                break
        elif name == "METHOD":
            method = value.upper()
        elif inside[-1:] == ["VEVENT"]:
            given = {one[1].upper(): one[2] or one[3] for one in _PARAMETER.finditer(match[2])}
            found.setdefault(name, (given, value))
    if not found:
        return None
    parameters, organiser = found.get("ORGANIZER", ({}, ""))
    return Invitation(
        code=_CODES.get(method, "invitation"),
        summary=_plain(found, "SUMMARY"),
        starts=_moment(*found.get("DTSTART", ({}, ""))),
        ends=_moment(*found.get("DTEND", ({}, ""))),
        where=_plain(found, "LOCATION"),
        organiser=one_line(parameters.get("CN") or re.sub(r"(?i)^mailto:", "", organiser), _LENGTH),
    )


def _plain(found: dict[str, tuple[dict[str, str], str]], name: str) -> str:
    _given, value = found.get(name, ({}, ""))
    value = re.sub(r"\\([\\;,nN])", lambda it: " " if it[1] in "nN" else it[1], value)
    return one_line(value, _LENGTH)


def _moment(given: dict[str, str], value: str) -> str:
    try:
        if re.fullmatch(r"[0-9]{8}", value):
            return date.fromisoformat(value).isoformat()
        if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z?", value):
            return ""
        moment = datetime.fromisoformat(value)
        return (
            moment if moment.tzinfo else moment.replace(tzinfo=_zone(given.get("TZID", "")))
        ).isoformat()
    except (ValueError, OverflowError):
        return ""


def _zone(name: str) -> ZoneInfo | None:
    if not re.fullmatch(r"[A-Za-z_]{1,30}(?:/[A-Za-z_+-]{1,30}){0,2}", name):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None
