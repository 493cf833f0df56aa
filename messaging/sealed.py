"""Secrets of other programs: unreadable in the database and in its backups.

Encrypted with the first of `ENCRYPTION_KEYS` (Fernet: AES-128-CBC with an HMAC), readable with each
of them, so that a new key can be put in front of the old one.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField

log = structlog.get_logger(__name__)


def seal(text: str) -> str:
    """The text as it is stored; an empty one stays empty."""
    return _keys().encrypt(text.encode()).decode("ascii") if text else ""


def unseal(stored: str) -> str:
    """What was sealed; empty where no key of ours opens it, as after a lost key."""
    if not stored:
        return ""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeError):
        log.error("sealed_with_another_key")
        return ""


class SealedField(_TextField):
    """A text that the database holds sealed. It cannot be searched, and the log of changes says no
    more of it than whether it is the same."""

    is_secret = True

    def get_prep_value(self, value: Any) -> Any:
        return seal(value) if value else ""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return unseal(value) if value else ""


def _keys() -> MultiFernet:
    return _fernet(tuple(settings.ENCRYPTION_KEYS) or (settings.SECRET_KEY,))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    # Any text will do as a key: the cipher's own has always 32 bytes.
    digests = [sha256(b"helpdesk.sealed:" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])
