from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.permissions import CustomRole
from people.models.teams import Team
from people.models.users import Role

VALID_FOR = timedelta(days=7)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        return self.filter(
            accepted_at=None, withdrawn_at=None, invited_at__gt=timezone.now() - VALID_FOR
        )

    def by_token(self, token: str) -> Self:
        """The open invitation whose link this is, if whoever sent it still works here."""
        return self.open().filter(digest=digest_of(token), invited_by__is_active=True)

    def unanswered(self) -> Self:
        """Neither accepted nor withdrawn, the newest first; some may have run out."""
        return self.filter(accepted_at=None, withdrawn_at=None).order_by("-invited_at")


class Invitation(models.Model):
    """A colleague who was asked to join; the link in the mail is kept as a digest only."""

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.AGENT)
    custom_role = models.ForeignKey(
        CustomRole, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )
    language = models.CharField(
        _("language"), max_length=8, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    teams = models.ManyToManyField(Team, related_name="+", blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    invited_at = models.DateTimeField(default=timezone.now)
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-invited_at"]
        constraints = [
            models.UniqueConstraint(
                "email",
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="people_invitation_is_open_once",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def expires_at(self) -> datetime:
        return self.invited_at + VALID_FOR

    @property
    def has_run_out(self) -> bool:
        return self.expires_at <= timezone.now()


def new_token() -> str:
    """What the link in the invitation carries: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()
