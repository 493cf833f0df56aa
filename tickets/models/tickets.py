from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from people.models import Customer, Team, User
from tickets import clock
from tickets.gate import open_to
from tickets.models.vocabulary import (
    OPEN_CATEGORIES,
    Category,
    Priority,
    Status,
    StatusCategory,
)

if TYPE_CHECKING:
    from tickets.models.conversations import Conversation


class TicketType(models.TextChoices):
    QUESTION = "question", _("Question")
    INCIDENT = "incident", _("Incident")
    PROBLEM = "problem", _("Problem")
    TASK = "task", _("Task")


class Channel(models.TextChoices):
    FORM = "form", _("Form")
    EMAIL = "email", _("E-mail")
    MESSENGER = "messenger", _("Messenger")
    PHONE = "phone", _("Phone")
    API = "api", _("API")


class Mark(models.TextChoices):
    """Why a ticket does not count."""

    SPAM = "spam", _("Spam")
    TEST = "test", _("Test")


def new_key() -> str:
    """192 random bits: what only the holder of a private link or a reply address knows."""
    return secrets.token_urlsafe(24)


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> Self:
        """Tickets that `user` may open, see `tickets.gate`."""
        return open_to(user, self)

    def locked(self) -> Self:
        """For a change: rows that nobody else can change until our transaction ends.

        What a ticket refers to is loaded later, never joined: PostgreSQL would join the row as it
        was before the wait for the lock, and lose a ticket whose status changed meanwhile. The
        key stays free, so that whoever only refers to the ticket (an owed row) need not wait.
        """
        return self.select_for_update(of=("self",), no_key=True)

    def free(self) -> Self:
        """For a change to many: locked like `locked`, without those that somebody else holds."""
        return self.select_for_update(of=("self",), no_key=True, skip_locked=True)

    def for_list(self) -> Self:
        """With everything that a list shows of each."""
        return self.select_related(
            "status", "team", "assignee", "customer", "follow_up_of", "merged_into"
        ).prefetch_related("customer__identities")

    def by_key(self, key: str) -> Self:
        """The ticket whose private link this is; none for anything that is not a whole key."""
        return self.filter(access_key=key) if len(key) == ACCESS_KEY_LENGTH else self.none()

    def asked_by(self, customer: Customer) -> Self:
        """What the customer themselves may list, newest first; merged ones are one."""
        own = Q(merged_into=None) | ~Q(merged_into__customer=customer)
        return self.filter(own, customer=customer).order_by("-created_at", "-pk")

    def to_wake(self) -> Self:
        """Snoozed until a time that has come."""
        return self.filter(snoozed_until__lte=clock.now())

    def created_before(self, ticket: Ticket) -> Self:
        """Those that stand after this ticket where the newest comes first."""
        return self.filter(
            Q(created_at__lt=ticket.created_at) | Q(created_at=ticket.created_at, pk__lt=ticket.pk)
        )

    def open(self) -> Self:
        return self.filter(status_category__in=OPEN_CATEGORIES)

    def waiting_for_us(self) -> Self:
        return self.filter(status_category__in=[StatusCategory.NEW, StatusCategory.OPEN])

    def waiting_for_others(self) -> Self:
        return self.filter(status_category__in=[StatusCategory.PENDING, StatusCategory.ON_HOLD])

    def solved(self) -> Self:
        return self.filter(status_category=StatusCategory.SOLVED)

    def counted(self) -> Self:
        """Without spam, test, and what was merged away."""
        return self.filter(mark="", merged_into=None)

    def marked(self) -> Self:
        """Spam and test."""
        return self.exclude(mark="")

    def awake(self) -> Self:
        return self.filter(snoozed_at=None)

    def snoozed(self) -> Self:
        return self.filter(snoozed_at__isnull=False)

    def to_close(self) -> Self:
        """Solved for longer than a reply may still reopen them."""
        return self.solved().filter(solved_at__lt=clock.now() - reopen_window())


ACCESS_KEY_LENGTH = 32


def reopen_window() -> timedelta:
    """How long after the solve a customer's reply reopens the ticket."""
    return timedelta(days=settings.REOPEN_WITHIN_DAYS)


#: What the indexes of open tickets have with them.
ALONG = (
    "mark",
    "merged_into",
    "snoozed_at",
    "due_at",
    "waiting_since",
    "created_at",
    "number",
    "tags",
)
#: What the tags of a ticket may take in an index: the bytes of each and `TAG_BYTES` more. An entry
#: must stay below 2,704.
TAGS_BYTES, TAG_BYTES = 2000, 8


def _bytes_of_tags() -> Combinable:
    number = models.IntegerField()
    words = Func("tags", Value(""), function="array_to_string", output_field=models.TextField())
    return (
        Func(words, function="octet_length", output_field=number)
        + Func("tags", function="cardinality", output_field=number) * TAG_BYTES
    )


class Ticket(models.Model):
    """The work that conversations cause."""

    number = models.BigIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=Func(Value("tickets_ticket_number_seq"), function="nextval"),
    )
    # Goes up with every change; whoever changes an older version is told what changed since.
    version = models.PositiveIntegerField(default=1, editable=False)
    access_key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)

    subject = models.CharField(_("subject"), max_length=300)
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="+", db_index=False)
    # A copy that the lists' indexes can use; a composite foreign key holds it to the status.
    status_category = models.CharField(max_length=20, choices=StatusCategory, editable=False)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority, default=Priority.NORMAL
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    type = models.CharField(
        _("type"), max_length=20, choices=TicketType, default=TicketType.QUESTION
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="tickets", db_index=False
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    follow_up_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="follow_ups"
    )
    mark = models.CharField(_("does not count"), max_length=10, choices=Mark, blank=True)

    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("last change"))
    last_message_at = models.DateTimeField(_("last message"))
    # The earliest customer message that no public reply has answered.
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    solved_at = models.DateTimeField(_("solved"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # The beginning of the newest public message, for lists.
    excerpt = models.CharField(max_length=200, blank=True)

    # By when it should be done, as somebody set by hand.
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    # Out of the queues until `snoozed_until`, or without it until somebody writes; a message by
    # the customer always wakes it.
    snoozed_at = models.DateTimeField(_("snoozed"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    # The company's own fields by their key: {"order_number": "55-1188"}, see CustomField.
    fields = models.JSONField(_("fields"), default=dict, blank=True)
    # Where its conversations are now, when it turned out to be the same piece of work.
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merged",
        db_index=False,
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="tickets_ticket_priority_is_known"
            ),
            models.CheckConstraint(
                condition=Q(type__in=TicketType.values), name="tickets_ticket_type_is_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="tickets_ticket_channel_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(subject=""), name="tickets_ticket_subject_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(mark="") | Q(mark__in=Mark.values),
                name="tickets_ticket_mark_is_known",
            ),
            models.CheckConstraint(
                condition=(
                    Q(status_category="solved", solved_at__isnull=False, closed_at=None)
                    | Q(status_category="closed", solved_at__isnull=False, closed_at__isnull=False)
                    | (Q(status_category__in=OPEN_CATEGORIES) & Q(solved_at=None, closed_at=None))
                ),
                name="tickets_ticket_times_follow_status",
            ),
            models.CheckConstraint(
                condition=~Q(follow_up_of=F("id")), name="tickets_ticket_follows_another"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None)
                | (~Q(merged_into=F("id")) & Q(status_category="closed")),
                name="tickets_ticket_merged_is_closed",
            ),
            models.CheckConstraint(
                condition=Q(snoozed_until=None) | Q(snoozed_at__isnull=False),
                name="tickets_ticket_is_snoozed_until",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(_bytes_of_tags(), TAGS_BYTES),
                name="tickets_ticket_tags_fit_an_index",
            ),
        ]
        indexes = [
            # One per queue, in the order in which the queue is read. Those of open tickets have
            # with them what views mostly ask and are sorted by, so that one that holds few of very
            # many, or sorts them all, need not read the tickets themselves.
            models.Index(
                fields=["assignee", "-last_message_at", "-id"],
                include=["priority", "status_category", "team", *ALONG],
                condition=Q(status_category__in=OPEN_CATEGORIES),
                name="tickets_open_of_agent",
            ),
            models.Index(
                # Of all teams: who works for several reads them as one queue.
                fields=["-last_message_at", "-id"],
                include=["priority", "status_category", "team", "assignee", *ALONG],
                condition=Q(status_category__in=OPEN_CATEGORIES, assignee=None),
                name="tickets_open_unassigned",
            ),
            models.Index(
                # What stands behind the order is looked at before a ticket is read for the rest.
                fields=[
                    "-last_message_at",
                    "-id",
                    "priority",
                    "status_category",
                    "team",
                    "assignee",
                ],
                include=ALONG,
                condition=Q(status_category__in=OPEN_CATEGORIES),
                name="tickets_open_newest",
            ),
            models.Index(
                # The order that is chosen most after that of the queue.
                fields=["-priority", "-id"],
                include=[
                    "status_category",
                    "team",
                    "assignee",
                    "mark",
                    "merged_into",
                    "snoozed_at",
                ],
                condition=Q(status_category__in=OPEN_CATEGORIES),
                name="tickets_open_urgent_first",
            ),
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=Q(status_category__in=["pending", "on_hold"]),
                name="tickets_waiting",
            ),
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=Q(status_category="solved"),
                name="tickets_solved_recent",
            ),
            models.Index(
                # Too many to be sorted for one page.
                fields=["subject", "id"],
                include=["team", "assignee", "mark", "merged_into"],
                condition=Q(status_category="solved"),
                name="tickets_solved_by_subject",
            ),
            models.Index(
                fields=["solved_at"],
                condition=Q(status_category="solved"),
                name="tickets_solved_to_close",
            ),
            models.Index(fields=["customer", "-created_at"], name="tickets_of_customer"),
            models.Index(fields=["created_at", "id"], name="tickets_created"),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="tickets_merged_into",
            ),
            models.Index(
                fields=["snoozed_until"],
                condition=Q(snoozed_until__isnull=False),
                name="tickets_to_wake",
            ),
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=Q(snoozed_at__isnull=False),
                name="tickets_snoozed",
            ),
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=~Q(mark=""),
                name="tickets_marked",
            ),
            models.Index(
                fields=["due_at", "-priority", "id"],
                condition=Q(due_at__isnull=False) & Q(status_category__in=OPEN_CATEGORIES),
                name="tickets_due",
            ),
            GinIndex(fields=["tags"], name="tickets_tags"),
            GinIndex(fields=["fields"], opclasses=["jsonb_path_ops"], name="tickets_fields"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    @property
    def is_closed(self) -> bool:
        return self.status_category == StatusCategory.CLOSED

    @property
    def is_over(self) -> bool:
        return StatusCategory(self.status_category).is_over

    @property
    def is_snoozed(self) -> bool:
        return self.snoozed_at is not None

    @property
    def is_overdue(self) -> bool:
        return self.due_at is not None and self.due_at < clock.now() and not self.is_over

    @property
    def urgency(self) -> Priority:
        return Priority(self.priority)

    @property
    def newest_conversation(self) -> Conversation:
        """The one in which the customer is answered; a ticket is opened with its first."""
        return self.conversations.model.objects.of(self).last_spoken_first()[0]

    @property
    def carried_on_in(self) -> Ticket:
        """The ticket in which the work goes on: itself, or the one it was merged into."""
        ticket = self
        while ticket.merged_into:
            ticket = ticket.merged_into
        return ticket

    def takes_replies_at(self, moment: datetime) -> bool:
        """Whether a customer's message continues this ticket; otherwise it opens a follow-up."""
        if self.is_closed:
            return False
        return self.solved_at is None or self.solved_at >= moment - reopen_window()

    def save_change(self, *fields: str) -> None:
        """Save the named fields as a new version of the ticket."""
        self.version += 1
        self.updated_at = clock.now()
        self.save(update_fields=[*fields, "version", "updated_at"])
