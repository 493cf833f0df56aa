from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models import User
from tickets.models import Event, Ticket


class NotificationKind(models.TextChoices):
    MENTIONED = "mentioned", _("Somebody mentions me")
    ASSIGNED = "assigned", _("A ticket is given to me")
    CUSTOMER_REPLIED = "customer_replied", _("A customer writes in my ticket")
    FOLLOWED = "followed", _("Something happens to a ticket that I follow")
    WOKEN = "woken", _("A snoozed ticket of mine is back")
    NOT_SENT = "not_sent", _("What I wrote could not be sent")


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, user: User) -> Self:
        """Newest first."""
        return self.filter(user=user).order_by("-created_at", "-pk")

    def visible(self, user: User, *, kinds: Collection[str]) -> Self:
        """Of these kinds, as far as the user may see their tickets now."""
        mine = self.of(user).filter(kind__in=kinds)
        if user.is_manager:
            return mine
        return mine.filter(ticket__in=Ticket.objects.visible_to(user))

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def to_mail(self) -> Self:
        """Unread, and not in any digest yet."""
        return self.unread().filter(mailed_at=None)

    def older_than(self, *, read: timedelta, unread: timedelta) -> Self:
        now = timezone.now()
        return self.filter(
            Q(read_at__isnull=False, created_at__lt=now - read) | Q(created_at__lt=now - unread)
        )


class Notification(models.Model):
    """What a colleague should hear of; shown only as long as they may see its ticket."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=NotificationKind)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(
        Event, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Who did it, and the beginning of what was written, as they were then.
    actor_name = models.CharField(max_length=160, blank=True)
    excerpt = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    # In the digest, or decided against one.
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=NotificationKind.values),
                name="workspace_notification_kind_is_known",
            ),
            models.UniqueConstraint(
                "user", "event", name="workspace_notification_once_for_each_event"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="workspace_notified"),
            models.Index(
                fields=["user"], condition=Q(read_at=None), name="workspace_notified_unread"
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(read_at=None, mailed_at=None),
                name="workspace_notified_to_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.user_id} · #{self.ticket_id}"
