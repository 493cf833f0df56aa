"""How the company calls itself and looks, for every page and mail.

Each process keeps it for a few seconds, since every page asks. Without a database the environment's
words stand in: an error page must not fail over its own name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError

from people.models import Company

#: Other processes see a change at the latest after so long.
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    support_address: str
    accent: str = ""
    has_logo: bool = False
    #: Another one whenever accent or logo changed; empty as long as there is neither.
    version: str = ""


_kept: tuple[float, Brand] | None = None


def brand() -> Brand:
    """The company as it is set up, or as the environment calls it where nothing is."""
    global _kept
    now = time.monotonic()
    if _kept and now < _kept[0]:
        return _kept[1]
    try:
        found = _load()
    except DatabaseError:
        return _kept[1] if _kept else default()
    _kept = now + SECONDS, found
    return found


def default() -> Brand:
    """What the environment says."""
    return Brand(settings.COMPANY_NAME, settings.SUPPORT_ADDRESS)


def forget() -> None:
    """Look anew the next time: somebody changed it."""
    global _kept
    _kept = None


def keep(held: Brand) -> None:
    """Do not look for a while: for tests that change nothing of it."""
    global _kept
    _kept = time.monotonic() + 3600, held


_more: list[Callable[[], Iterable[str]]] = []


def also_ours(addresses: Callable[[], Iterable[str]]) -> None:
    """Let a room above say which other addresses mail to the company comes to."""
    _more.append(addresses)


def our_addresses() -> set[str]:
    """The addresses that mail to the company comes to: the present one, the environment's, to which
    answers to older mails still go, and those of rooms above. In lower case."""
    own = {brand().support_address, settings.SUPPORT_ADDRESS}
    return {address.lower() for address in own.union(*(more() for more in _more))}


def _load() -> Brand:
    company = Company.objects.first()
    if company is None:
        return default()
    logo = bytes(company.logo) if company.logo else b""
    look = company.accent.encode() + sha256(logo).digest() if company.accent or logo else b""
    return Brand(
        name=company.name or settings.COMPANY_NAME,
        support_address=company.support_address or settings.SUPPORT_ADDRESS,
        accent=company.accent,
        has_logo=bool(logo),
        version=sha256(look).hexdigest()[:12] if look else "",
    )
