"""Facts: what `fold` made of each ticket's history, in the shape in which the figures read it.

Facts are derived. They are replaced whenever a ticket's history grows and can be rebuilt at any
time, so no other room writes them or refers to them. Their references carry no database
constraints: to check one, PostgreSQL would lock the ticket's row, and a fold must never wait for an
action that in turn waits for the fold.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from people.models import Team, User
from surveys.models import Score
from tickets.models import Category, Channel, Mark, Priority, StatusCategory, Ticket
from tickets.owed import Owed, OwedQuerySet


class StaleFactsQuerySet(OwedQuerySet):
    def note(self, ticket_id: int) -> int | None:
        """Owe new facts of a ticket. Returns the row's key, once per transaction.

        The row is written even where it is owed already: its lock keeps a fold that cannot see
        our change yet from declaring the facts fresh.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO metrics_stalefacts AS stale
                    (ticket_id, due_at, attempts, last_error, noted_in)
                VALUES (%s, %s, 0, '', pg_current_xact_id()::text::bigint)
                ON CONFLICT (ticket_id) DO UPDATE
                SET due_at = excluded.due_at, noted_in = excluded.noted_in,
                    attempts = 0, last_error = '', done_at = NULL, parked_at = NULL
                WHERE stale.noted_in IS DISTINCT FROM excluded.noted_in OR stale.done_at IS NOT NULL
                RETURNING id
                """,
                [ticket_id, timezone.now()],
            )
            row = cursor.fetchone()
        return row[0] if row else None


class StaleFacts(Owed):
    """Facts to be folded anew, because the ticket's history grew. One row per ticket."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="+")
    # The transaction that last noted it: further events of the same one need no second task.
    noted_in = models.BigIntegerField(null=True, editable=False)

    objects = StaleFactsQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at=None, parked_at=None),
                name="metrics_stalefacts_owed",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.ticket_id}"


class FactQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Facts of the tickets that `user` may open."""
        return self.filter(ticket__in=Ticket.objects.visible_to(user))

    def for_list(self) -> Self:
        """With all that a list of tickets shows."""
        return self.select_related("ticket", "ticket__customer", "team", "category")


def _then(to: type[models.Model] | str) -> Any:
    """A reference to who or what it was at that time."""
    return models.ForeignKey(
        to, null=True, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )


class Fact(models.Model):
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, db_constraint=False, related_name="%(class)ss"
    )
    # Who held the ticket, and what it was about, at the moment that the fact is of.
    team = _then(Team)
    category = _then(Category)

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} #{self.ticket_id}"


class TicketFact(Fact):
    """One ticket. `team` is the first that held it; `category` what it turned out to be about.

    A ticket marked as spam or test, or merged away, leaves this row and its revisions only.
    """

    ticket = models.OneToOneField(
        Ticket,
        on_delete=models.CASCADE,
        primary_key=True,
        db_constraint=False,
        related_name="facts",
    )
    created_at = models.DateTimeField()
    channel = models.CharField(max_length=20, choices=Channel)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    status_category = models.CharField(max_length=20, choices=StatusCategory)
    # A ticket's mark, or that it was merged into another.
    mark = models.CharField(
        max_length=10, choices=[*Mark.choices, ("merged", _("Merged"))], blank=True
    )
    waiting_since = models.DateTimeField(null=True)
    message_count = models.PositiveIntegerField()
    reply_count = models.PositiveIntegerField()
    reopen_count = models.PositiveIntegerField()

    class Meta(Fact.Meta):
        indexes = [
            models.Index(fields=["created_at"], condition=Q(mark=""), name="metrics_received"),
        ]


class ResponseFact(Fact):
    """One wait of a customer, until a person answered. `team` and `assignee` held the ticket."""

    ordinal = models.PositiveIntegerField()
    is_first = models.BooleanField()
    asked_at = models.DateTimeField()
    replied_at = models.DateTimeField()
    seconds = models.PositiveBigIntegerField()
    business_seconds = models.PositiveBigIntegerField()
    assignee = _then(settings.AUTH_USER_MODEL)
    author = _then(settings.AUTH_USER_MODEL)

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint("ticket", "ordinal", name="metrics_response_is_unique"),
        ]
        indexes = [models.Index(fields=["replied_at"], name="metrics_replied")]


class SolveFact(Fact):
    """One solve of a ticket, with what had been spent on it since it was created."""

    ordinal = models.PositiveIntegerField()
    solved_at = models.DateTimeField()
    previous_solved_at = models.DateTimeField(null=True)
    reopened_at = models.DateTimeField(null=True)
    seconds = models.PositiveBigIntegerField()
    business_seconds = models.PositiveBigIntegerField()
    requester_wait_seconds = models.PositiveBigIntegerField()
    requester_wait_business_seconds = models.PositiveBigIntegerField()
    agent_work_seconds = models.PositiveBigIntegerField()
    agent_work_business_seconds = models.PositiveBigIntegerField()
    on_hold_seconds = models.PositiveBigIntegerField()
    on_hold_business_seconds = models.PositiveBigIntegerField()
    reply_count = models.PositiveIntegerField()
    # Calls by then that were logged as resolved.
    resolving_call_count = models.PositiveIntegerField(default=0)
    assignee = _then(settings.AUTH_USER_MODEL)

    class Meta(Fact.Meta):
        constraints = [
            models.UniqueConstraint("ticket", "ordinal", name="metrics_solve_is_unique"),
        ]
        indexes = [models.Index(fields=["solved_at"], name="metrics_solved")]


class BacklogSpell(Fact):
    """A stretch in which the ticket was neither solved nor closed, in one team and category."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(Fact.Meta):
        indexes = [
            # The backlog of a recent moment: what still lasts, and what ended since.
            models.Index(fields=["ended_at", "started_at"], name="metrics_backlog"),
        ]


class SurveyFact(Fact):
    """What was asked after a solve, and what came back. `team` and `assignee` held the ticket."""

    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, db_constraint=False, related_name="survey_fact"
    )
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    score = models.PositiveSmallIntegerField(choices=Score, null=True)
    has_comment = models.BooleanField()
    assignee = _then(settings.AUTH_USER_MODEL)

    class Meta(Fact.Meta):
        indexes = [
            models.Index(fields=["answered_at"], name="metrics_answered"),
            models.Index(fields=["sent_at"], name="metrics_asked"),
        ]


class RevisionFact(Fact):
    """Something learnt afterwards about a time that figures had already counted."""

    class Reason(models.TextChoices):
        LATE = "late", _("Written down later")
        ANNULLED = "annulled", _("Declared void")
        MARKED = "marked", _("Marked as spam or test, or no longer")
        MERGED = "merged", _("Merged into another, or no longer")
        RECATEGORISED = "recategorised", _("Filed under another category")
        REOPENED = "reopened", pgettext_lazy("ticket", "Reopened")

    reason = models.CharField(max_length=20, choices=Reason)
    concerns_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta(Fact.Meta):
        indexes = [models.Index(fields=["concerns_at"], name="metrics_revised")]
