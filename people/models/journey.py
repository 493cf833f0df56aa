"""What we know of a customer beside their tickets: touchpoints, notes, merges of two records."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from people.models.customers import Customer
from people.models.names import one_line


class Stage(models.TextChoices):
    AWARENESS = "awareness", _("Awareness")
    CONSIDERATION = "consideration", _("Consideration")
    PURCHASE = "purchase", _("Purchase")
    LOYALTY = "loyalty", _("Loyalty")
    ADVOCACY = "advocacy", _("Advocacy")


class TouchpointKind(models.TextChoices):
    SAW = "saw", _("Saw")
    SIGNED_UP = "signed_up", _("Signed up")
    BOUGHT = "bought", _("Bought")
    RECEIVED = "received", _("Received")
    ASKED = "asked", _("Asked")
    RATED = "rated", _("Rated")
    RENEWED = "renewed", _("Renewed")
    LEFT = "left", _("Left")


class TouchpointQuerySet(models.QuerySet["Touchpoint"]):
    def of(self, customer: Customer) -> Self:
        """Newest first."""
        return self.filter(customer=customer).order_by("-occurred_at", "-pk")

    def told(self, source: str, external_id: str) -> Self:
        """What this source told under this id, if it did."""
        return self.filter(
            source=one_line(source, limit=60), external_id=one_line(external_id, limit=120)
        ).exclude(external_id="")


class Touchpoint(models.Model):
    """Something that happened on a customer's journey, told by a shop, a CRM or an import."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="touchpoints")
    stage = models.CharField(max_length=20, choices=Stage)
    kind = models.CharField(max_length=20, choices=TouchpointKind)
    # "Order 55-1188"
    name = models.CharField(max_length=200)
    occurred_at = models.DateTimeField()
    # Who told us, and what they call it: the same thing told twice is one touchpoint.
    source = models.CharField(max_length=60, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    data = models.JSONField(default=dict, blank=True)

    objects = TouchpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=Stage.values), name="people_touchpoint_stage_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=TouchpointKind.values), name="people_touchpoint_kind_is_known"
            ),
            models.UniqueConstraint(
                "source",
                "external_id",
                condition=~Q(external_id=""),
                name="people_touchpoint_is_told_once",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-occurred_at", "-id"], name="people_touchpoint_order")
        ]

    def __str__(self) -> str:
        return self.name


class CustomerNote(models.Model):
    """What colleagues should know of a customer, whatever the ticket."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.text[:60]


class CustomerMergeQuerySet(models.QuerySet["CustomerMerge"]):
    def standing(self) -> Self:
        return self.filter(undone_at=None)


class CustomerMerge(models.Model):
    """That two records are one person, and what is needed to take them apart again."""

    kept = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="absorbed")
    absorbed = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="merges")
    # The ids of what moved, by table: {"tickets": […], "identities": […], …}.
    moved = models.JSONField(default=dict)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    merged_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerMergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kept=F("absorbed")), name="people_customermerge_joins_two"
            ),
            models.UniqueConstraint(
                "absorbed", condition=Q(undone_at=None), name="people_customermerge_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} → {self.kept_id}"
