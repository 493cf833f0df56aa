from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class ChangeQuerySet(models.QuerySet["Change"]):
    def newest_first(self) -> Self:
        return self.select_related("actor").order_by("-made_at", "-pk")


class Change(models.Model):
    """Who changed which setting, when, from what to what. Rows are only ever added; a trigger
    refuses the rest."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # "created", "changed", "archived", "restored", "deleted", "invited", "refused", …
    verb = models.CharField(max_length=20)
    # "team", "user", "status" …, its id and what it was called then.
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(null=True)
    subject_name = models.CharField(max_length=200)
    # Only what differs: {"name": "Orders"}.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-made_at", "-id"], name="people_change_newest"),
            models.Index(fields=["subject_kind", "subject_id"], name="people_change_of"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_kind} {self.subject_name}"
