from __future__ import annotations

from django.db import models

from tickets.owed import Owed, OwedQuerySet


class LoginRequest(Owed):
    """Somebody asked for a log-in link. Written for known and unknown addresses alike, so that
    the page answers the same in the same time; a task mails the link when somebody is known."""

    address = models.CharField(max_length=320)
    language = models.CharField(max_length=8)
    # SHA-256 of the token in the mailed link.
    token_digest = models.CharField(max_length=64, blank=True, db_index=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = OwedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.address
