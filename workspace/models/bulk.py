from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from people.models import User
from tickets.models import Ticket
from tickets.owed import Owed, OwedQuerySet


class BulkChangeQuerySet(OwedQuerySet):
    def of(self, user: User) -> Self:
        return self.filter(user=user)


class BulkChange(Owed):
    """One change to many tickets, done in the background a part at a time; a worker that dies
    leaves it owed, and the next one goes on where it stopped."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # [{"set": "status", "to": 4}, {"add": "tags", "to": ["vip"]}], as in macros.
    changes = models.JSONField(default=list)
    total = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, parked_at=None),
                name="workspace_bulk_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.total}"


class BulkItem(models.Model):
    """One ticket of a bulk change: what became of it, and what it was before."""

    change = models.ForeignKey(
        BulkChange, on_delete=models.CASCADE, related_name="items", db_index=False
    )
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Empty until it was tried; then "done", "unchanged" or why not.
    outcome = models.CharField(max_length=40, blank=True)
    # What was changed, as it was before, and the version after: undoing stops where somebody else
    # has changed the ticket meanwhile.
    before = models.JSONField(default=dict)
    version = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("change", "ticket", name="workspace_bulkitem_is_unique"),
        ]
        indexes = [
            models.Index(
                fields=["change", "id"], condition=Q(outcome=""), name="workspace_bulk_left"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change_id} · {self.ticket_id} · {self.outcome}"
