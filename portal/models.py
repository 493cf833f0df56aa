from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Self

from django.db import models
from django.utils import timezone

from tickets.owed import Owed, OwedQuerySet


class LoginRequestQuerySet(OwedQuerySet):
    def usable(self, token: str) -> Self:
        """The request whose mailed link carries this token: mailed, unused, not yet expired."""
        return self.filter(
            token_digest=digest(token), used_at=None, expires_at__gt=timezone.now()
        ).exclude(token_digest="")

    def past(self) -> Self:
        """What nobody needs any more: an address is not kept for having been typed."""
        return self.filter(due_at__lt=timezone.now() - timedelta(days=2)).exclude(
            done_at=None, parked_at=None
        )


class LoginRequest(Owed):
    """Somebody asked for a log-in link. Written for known and unknown addresses alike, so that
    the page answers the same in the same time; a task mails the link when somebody is known."""

    address = models.CharField(max_length=320)
    language = models.CharField(max_length=8)
    # SHA-256 of the token in the mailed link.
    token_digest = models.CharField(max_length=64, blank=True, db_index=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = LoginRequestQuerySet.as_manager()

    def __str__(self) -> str:
        return self.address


def digest(token: str) -> str:
    """What we keep of a token: whoever reads our tables cannot log in with it."""
    return sha256(token.encode()).hexdigest()
