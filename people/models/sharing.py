"""What people make for themselves, share with a team or give to everyone: views and macros."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from people.models.teams import Team
from people.models.users import User


class Audience(models.TextChoices):
    PERSONAL = "personal", _("Only me")
    TEAM = "team", _("A team")
    EVERYONE = "everyone", _("Everyone")


class SharedQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Their own, their teams' and everyone's."""
        return self.filter(
            Q(audience=Audience.EVERYONE)
            | Q(audience=Audience.PERSONAL, owner=user)
            | Q(audience=Audience.TEAM, team__in=user.memberships.values("team"))
        )


class Shared(models.Model):
    audience = models.CharField(
        _("for"), max_length=10, choices=Audience, default=Audience.PERSONAL
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="%(class)ss"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss"
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(audience=Audience.TEAM, team__isnull=False)
                | Q(audience__in=[Audience.PERSONAL, Audience.EVERYONE], team=None),
                name="%(app_label)s_%(class)s_team_fits_audience",
            ),
        ]
