"""Who is called by name in a note: “@Luca Bassi”."""

from __future__ import annotations

import re

from tickets.gate import readers
from tickets.models import Ticket


def mentioned(ticket: Ticket, text: str) -> list[int]:
    """The ids of the readers whom the text calls by their whole name after an “@”, in any case.

    Of names that begin alike the longest counts: “@Ana Maria” does not call Ana.
    """
    if "@" not in text:
        return []
    names: dict[str, list[int]] = {}
    for pk, name in readers(ticket).order_by("pk").values_list("pk", "name"):
        names.setdefault(_plain(name), []).append(pk)
    if not names:
        return []
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, longest_first))})(?!\w)")
    called = dict.fromkeys(match[1] for match in pattern.finditer(_plain(text)))
    return [pk for name in called for pk in names[name]]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
