"""To whom a message goes beside the customer whom it answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import getaddresses
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

#: {"to": […], "cc": […], "bcc": […]}, addresses as they are compared; what is empty is left out.
Recipients = Mapping[str, list[str]]

PLACES: Final = ("to", "cc", "bcc")
MAX_RECIPIENTS: Final = 50
_BETWEEN = re.compile(r"[;\n\r]+")
_QUOTED = re.compile(r'"[^"]*"')


class NotAnAddress(Exception):
    """Something that no mail server could deliver to; the text is what was written."""


class TooManyRecipients(Exception):
    """More than `MAX_RECIPIENTS`: a newsletter, or a slip."""


def addresses(text: str) -> list[str]:
    """The addresses that somebody typed, in lower case and each once: commas, semicolons, spaces
    or lines between them, with names (`Ana <ana@shop.example>`) or without.

    Raises `NotAnAddress`.
    """
    written = _BETWEEN.sub(",", text).strip()
    written = re.sub(r",[\s,]*", ", ", written).strip(", ")
    if "<" in written or '"' in written:
        if ":" in _QUOTED.sub("", written):
            raise NotAnAddress(written[:80])  # A header's name, or a group.
        given = [address for _name, address in getaddresses([written])]
    else:
        given = [part for part in re.split(r"[,\s]+", written) if part]
    found: list[str] = []
    for one in given:
        address = one.strip().lower()
        if not is_address(address):
            raise NotAnAddress((address or written)[:80])
        if address not in found:
            found.append(address)
    return found


def is_address(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return len(address) <= 254


def recipients(
    *, to: Iterable[str] = (), cc: Iterable[str] = (), bcc: Iterable[str] = ()
) -> dict[str, list[str]]:
    """The recipients of a message, each in the most open place that names them.

    Raises `TooManyRecipients`.
    """
    told: dict[str, list[str]] = {}
    seen: set[str] = set()
    for place, given in zip(PLACES, (to, cc, bcc), strict=True):
        named = [address for address in dict.fromkeys(given) if address not in seen]
        seen.update(named)
        if named:
            told[place] = named
    if len(seen) > MAX_RECIPIENTS:
        raise TooManyRecipients
    return told
