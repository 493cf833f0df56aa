from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from people.models import Customer, Team
from tickets.actor import ActorKind
from tickets.models.conversations import Message
from tickets.models.tickets import Channel, Ticket
from tickets.models.vocabulary import Category, Priority, Status, StatusCategory


class Kind(models.TextChoices):
    OPENED = "ticket.opened"
    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    NOTE_ADDED = "note.added"
    MESSAGE_NOT_SENT = "message.not_sent"
    ASSIGNED = "ticket.assigned"
    TEAM_CHANGED = "ticket.team_changed"
    PRIORITY_CHANGED = "ticket.priority_changed"
    CATEGORY_CHANGED = "ticket.category_changed"
    TYPE_CHANGED = "ticket.type_changed"
    TAGS_CHANGED = "ticket.tags_changed"
    STATUS_CHANGED = "ticket.status_changed"
    SOLVED = "ticket.solved"
    REOPENED = "ticket.reopened"
    CLOSED = "ticket.closed"
    MARKED = "ticket.marked"
    FOLLOWED_UP = "ticket.followed_up"
    SUBJECT_CHANGED = "ticket.subject_changed"
    REQUESTER_CHANGED = "ticket.requester_changed"
    DUE_CHANGED = "ticket.due_changed"
    FIELDS_CHANGED = "ticket.fields_changed"
    SNOOZED = "ticket.snoozed"
    WOKEN = "ticket.woken"
    MERGED = "ticket.merged"
    UNMERGED = "ticket.unmerged"
    SPLIT = "ticket.split"
    LINKED = "ticket.linked"
    UNLINKED = "ticket.unlinked"
    CALL_LOGGED = "call.logged"
    TIME_LOGGED = "time.logged"
    SURVEY_SENT = "survey.sent"
    SURVEY_ANSWERED = "survey.answered"
    ANNULLED = "event.annulled"


class EventQuerySet(models.QuerySet["Event"]):
    def in_order(self) -> Self:
        return self.order_by("occurred_at", "id")

    def since_version(self, version: int) -> Self:
        return self.filter(version__gt=version)


class Event(models.Model):
    """One thing that happened to a ticket. Rows are only ever added; a trigger refuses the rest."""

    # The table grows most of all, and every index is one more write: only those that are read.
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=30, choices=Kind)
    actor_kind = models.CharField(max_length=10, choices=ActorKind)
    actor_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    actor_customer = models.ForeignKey(
        Customer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=160, blank=True)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    # The ticket's version after the change that this event belongs to.
    version = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="events")
    annuls = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="annulled_by", db_index=False
    )

    # The ticket at that moment, after the change.
    team = models.ForeignKey(
        Team, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="+", db_index=False)
    status_category = models.CharField(max_length=20, choices=StatusCategory)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    category = models.ForeignKey(
        Category, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=20, choices=Channel)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    actor_kind=ActorKind.USER, actor_user__isnull=False, actor_customer=None
                )
                | Q(actor_kind=ActorKind.CUSTOMER, actor_user=None, actor_customer__isnull=False)
                | Q(
                    actor_kind__in=[ActorKind.RULE, ActorKind.SYSTEM],
                    actor_user=None,
                    actor_customer=None,
                ),
                name="tickets_event_actor_fits_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.ANNULLED, annuls__isnull=False)
                | (~Q(kind=Kind.ANNULLED) & Q(annuls=None)),
                name="tickets_event_only_an_annulment_annuls",
            ),
            models.UniqueConstraint(
                "annuls",
                condition=Q(annuls__isnull=False),
                name="tickets_event_is_annulled_once",
            ),
        ]
        indexes = [models.Index(fields=["ticket", "occurred_at", "id"], name="tickets_event_order")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.ticket_id}"
