from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import Audience, Permission, Shared, SharedQuerySet, User


class ViewQuerySet(SharedQuerySet):
    def visible_to(self, user: User) -> Self:
        """Their own, their teams' and everyone's; who sees all and may share also sees what other
        teams share, since somebody has to tidy up."""
        if user.is_manager and user.may(Permission.SHARE_VIEWS):
            return self.exclude(~Q(owner=user), audience=Audience.PERSONAL)
        return self.filter(
            Q(audience=Audience.EVERYONE)
            | Q(owner=user)
            | Q(audience=Audience.TEAM, team__in=user.memberships.values("team"))
        )


class View(Shared):
    """A saved filter over tickets, with the columns and the order in which it is read."""

    name = models.CharField(_("name"), max_length=80)
    # In the one condition language, see tickets.conditions.
    conditions = models.JSONField(default=dict)
    columns = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    # A column's name, with "-" before it for the last one first.
    sort = models.CharField(max_length=61, default="-last_message_at")
    # A column's name by which the rows are grouped, or nothing.
    group_by = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ViewQuerySet.as_manager()

    class Meta(Shared.Meta):
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class PinQuerySet(models.QuerySet["Pin"]):
    def of(self, user: User) -> Self:
        """What stands in somebody's sidebar, without views that they do not see any more."""
        visible = View.objects.visible_to(user).values("pk")
        return (
            self.filter(Q(view=None) | Q(view__in=visible), user=user)
            .select_related("view")
            .order_by("position", "pk")
        )


class Pin(models.Model):
    """That a view stands in somebody's sidebar, and where."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # A built-in view by its name, or a saved one.
    queue = models.CharField(max_length=30, blank=True)
    view = models.ForeignKey(
        View, null=True, blank=True, on_delete=models.CASCADE, related_name="pins"
    )
    position = models.PositiveSmallIntegerField(default=0)

    objects = PinQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(queue="") & Q(view__isnull=False)) | (~Q(queue="") & Q(view=None)),
                name="workspace_pin_is_of_one",
            ),
            models.UniqueConstraint(
                "user", "queue", condition=~Q(queue=""), name="workspace_pin_queue_once"
            ),
            models.UniqueConstraint(
                "user", "view", condition=Q(view__isnull=False), name="workspace_pin_view_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.queue or self.view_id}"
