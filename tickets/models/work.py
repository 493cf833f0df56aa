"""What colleagues do with a ticket beside writing: follow and read it, link it to others, log time
and calls."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.conversations import Conversation, Message
from tickets.models.tickets import Ticket


class Follower(models.Model):
    """Somebody who wants to hear what happens to a ticket that is not theirs."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="followers")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="follows"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint("ticket", "user", name="tickets_follower_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.ticket}"


class ReadMark(models.Model):
    """How far a colleague has read a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Every public message and note up to this moment has been on their screen.
    read_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "ticket", name="tickets_readmark_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.ticket_id} · {self.read_until:%Y-%m-%d %H:%M}"


class LinkKind(models.TextChoices):
    RELATED = "related", _("Related")
    # `ticket` says the same as `other`.
    DUPLICATE = "duplicate", _("Duplicate of")
    # `ticket` is an incident that the problem `other` causes.
    INCIDENT = "incident", _("Incident of")


class LinkQuerySet(models.QuerySet["TicketLink"]):
    def of(self, ticket: Ticket) -> Self:
        """Both ways round."""
        return self.filter(Q(ticket=ticket) | Q(other=ticket))


class TicketLink(models.Model):
    """That two tickets have to do with each other."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="linked_from")
    kind = models.CharField(max_length=20, choices=LinkKind)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(ticket=F("other")), name="tickets_ticketlink_links_two"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=LinkKind.values), name="tickets_ticketlink_kind_is_known"
            ),
            models.UniqueConstraint("ticket", "other", name="tickets_ticketlink_is_unique"),
            # An incident has one cause.
            models.UniqueConstraint(
                "ticket",
                condition=Q(kind="incident"),
                name="tickets_ticketlink_has_one_problem",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.ticket_id} {self.kind} #{self.other_id}"


class MergeQuerySet(models.QuerySet["Merge"]):
    def standing(self) -> Self:
        return self.filter(undone_at=None)

    def moved(self) -> list[list[int]]:
        """The ids of the conversations that each of them moved."""
        return list(self.values_list("conversations", flat=True))

    def first_to_move(self, conversation: int) -> Merge | None:
        """The oldest standing merge that moved this conversation: where it was begun."""
        return (
            self.standing()
            .filter(conversations__contains=conversation)
            .select_related("source")
            .order_by("pk")
            .first()
        )


class Merge(models.Model):
    """That the conversations of one ticket were moved into another, and what is needed to move
    them back."""

    source = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="merges")
    target = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="absorbed")
    # The ids of the conversations that moved.
    conversations = models.JSONField(default=list)
    # What the merge changed of the source, as it was before: status, times, assignee.
    before = models.JSONField(default=dict)
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    merged_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="tickets_merge_joins_two"
            ),
            models.UniqueConstraint(
                "source", condition=Q(undone_at=None), name="tickets_merge_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.source_id} → #{self.target_id}"


class TimeEntry(models.Model):
    """Time that somebody spent on a ticket. A wrong entry is corrected by a negative one."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="time_entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seconds = models.IntegerField(_("seconds"))
    # Measured while the page was in front, or written by hand.
    is_measured = models.BooleanField(default=False)
    note = models.CharField(_("what for"), max_length=200, blank=True)
    spent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-spent_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(seconds=0), name="tickets_timeentry_is_not_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seconds} s · {self.ticket_id}"


class CallOutcome(models.TextChoices):
    RESOLVED = "resolved", _("Resolved on the phone")
    ANSWERED = "answered", _("Spoken, not resolved yet")
    CALL_BACK = "call_back", _("To be called back")
    VOICEMAIL = "voicemail", _("Left on the answering machine")
    NO_ANSWER = "no_answer", _("Nobody answered")


class Call(models.Model):
    """A phone call: its conversation is of the channel phone, what was said is its note."""

    conversation = models.OneToOneField(Conversation, on_delete=models.PROTECT, related_name="call")
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="call")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Whether the customer called us.
    is_inbound = models.BooleanField(default=True)
    duration_seconds = models.PositiveIntegerField(_("duration"), default=0)
    outcome = models.CharField(_("outcome"), max_length=20, choices=CallOutcome)
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=CallOutcome.values), name="tickets_call_outcome_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} · {self.duration_seconds} s"
