from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.names import TranslatedName
from people.models.users import User


class AssignmentMethod(models.TextChoices):
    MANUAL = "manual", _("By hand")
    ROUND_ROBIN = "round_robin", _("In turn")
    LEAST_LOADED = "least_loaded", _("To whoever has least open")


class TeamQuerySet(models.QuerySet["Team"]):
    def of(self, user: User) -> Self:
        """The teams that the user works for."""
        return self.filter(members=user, archived_at=None)

    def in_use(self) -> Self:
        return self.filter(archived_at=None)


class Team(TranslatedName):
    """Agents who share a queue."""

    assignment_method = models.CharField(
        _("assignment"),
        max_length=20,
        choices=AssignmentMethod,
        default=AssignmentMethod.MANUAL,
    )
    position = models.PositiveSmallIntegerField(default=0)
    # Stands below replies of colleagues who have none of their own; sanitised HTML.
    signature = models.TextField(_("signature"), blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="teams"
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint("name", name="people_team_name_is_unique")]


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    # Whose turn it is: the member who has waited longest comes next.
    last_assigned_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("team", "user", name="people_membership_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.team}"


class TeamHours(models.Model):
    """The working hours of a team from a moment on. Rows are added, never changed, so that a
    duration measured last year is still measured with last year's hours."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="hours")
    effective_from = models.DateTimeField(default=timezone.now)
    time_zone = models.CharField(max_length=64, default=settings.TIME_ZONE)
    # {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], …}; a missing day is a day off.
    week = models.JSONField(default=dict)
    # ["2026-12-25", …]
    holidays = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["team", "effective_from"]
        constraints = [
            models.UniqueConstraint(
                "team", "effective_from", name="people_teamhours_version_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team} · {self.effective_from:%Y-%m-%d}"
