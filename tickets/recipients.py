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


class NotAnAddress(Exception):
    """Something that no mail server could deliver to; the text is what was written."""


class TooManyRecipients(Exception):
    """More than `MAX_RECIPIENTS`: a newsletter, or a slip."""


def addresses(text: str) -> list[str]:
    """The addresses that somebody typed, in lower case and each once: commas, semicolons, spaces
    or lines between them, with names (`Ana <ana@shop.example>`) or without.

    Raises `NotAnAddress`.
    """
    written = _BETWEEN.sub(",", text)
    if "<" not in written and '"' not in written:
        written = re.sub(r"[,\s]+", ",", written)
    found: list[str] = []
    for _name, address in getaddresses([part for part in written.split(",") if part.strip()]):
        address = address.strip().lower()
        try:
            validate_email(address)
        except ValidationError:
            raise NotAnAddress(address or text.strip()[:80]) from None
        if len(address) > 254:
            raise NotAnAddress(address[:80])
        if address not in found:
            found.append(address)
    return found


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
