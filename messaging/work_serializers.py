"""What programs say and hear of the work on a ticket beside its messages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from people.rest.serializers import Strict
from tickets.actions.time_spent import MOST_SECONDS
from tickets.models import (
    Call,
    CallOutcome,
    LinkKind,
    StatusCategory,
    Ticket,
    TicketLink,
    TimeEntry,
)

NUMBER: Any = {"min_value": 1, "max_value": 10**18}
LINKS = [*LinkKind.choices, ("problem", "Problem of")]


class Versioned(Strict):
    version = serializers.IntegerField(
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="The ticket's version that you have read: refused with 409 when it has changed.",
    )


class NewMerge(Versioned):
    into = serializers.IntegerField(**NUMBER, help_text="The number of the ticket that stays.")
    into_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    with_other_customer = serializers.BooleanField(
        default=False, help_text="Whether it is meant that they are of different customers."
    )


class NewSplit(Versioned):
    messages = serializers.ListField(
        child=serializers.IntegerField(**NUMBER), min_length=1, max_length=1000
    )
    subject = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class NewLink(Versioned):
    to = serializers.IntegerField(**NUMBER, help_text="The other ticket's number.")
    kind = serializers.ChoiceField(
        choices=LINKS,
        help_text=(
            "`duplicate` and `incident` say that this ticket is a duplicate, or an incident, of "
            "the other; `problem` that the other is an incident of this one."
        ),
    )


class NewSnooze(Versioned):
    until = serializers.DateTimeField(
        allow_null=True, help_text="`null`: until the customer writes."
    )


class NewDue(Versioned):
    at = serializers.DateTimeField()


class NewFields(Versioned):
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.JSONField(allow_null=True),
        help_text="Values by the fields' keys; null takes a value away. Others stay as they are.",
    )


class NewTime(Strict):
    seconds = serializers.IntegerField(
        min_value=-MOST_SECONDS,
        max_value=MOST_SECONDS,
        help_text="Negative where you take back what was too much.",
    )
    note = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class NewCall(Versioned):
    outcome = serializers.ChoiceField(choices=CallOutcome.choices)
    is_inbound = serializers.BooleanField(default=True, help_text="Whether the customer called us.")
    duration_seconds = serializers.IntegerField(
        min_value=0, max_value=MOST_SECONDS, required=False, default=0
    )
    started_at = serializers.DateTimeField(required=False)
    text = serializers.CharField(
        max_length=20_000,
        required=False,
        default="",
        allow_blank=True,
        help_text="What was said: a note, which only colleagues read.",
    )
    then = serializers.ChoiceField(
        choices=[category for category in StatusCategory if category != StatusCategory.CLOSED],
        required=False,
    )


class LinkShown(serializers.Serializer[Any]):
    to = serializers.SerializerMethodField(help_text="The other ticket's number.")
    kind = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": "integer"})
    def get_to(self, link: TicketLink) -> int:
        ticket: Ticket = self.context["ticket"]
        return link.other.number if link.ticket_id == ticket.pk else link.ticket.number

    @extend_schema_field({"type": "string", "enum": [*LinkKind.values, "duplicated_by", "problem"]})
    def get_kind(self, link: TicketLink) -> str:
        """What this ticket is to the other."""
        is_from_here = link.ticket_id == self.context["ticket"].pk
        if is_from_here or link.kind == LinkKind.RELATED:
            return link.kind
        return "problem" if link.kind == LinkKind.INCIDENT else "duplicated_by"


class TimeShown(serializers.ModelSerializer[TimeEntry]):
    user = serializers.CharField(source="user.name")

    class Meta:
        model = TimeEntry
        fields = ("id", "user", "seconds", "note", "is_measured", "spent_at")


class CallShown(serializers.ModelSerializer[Call]):
    user = serializers.CharField(source="user.name")
    outcome = serializers.ChoiceField(choices=CallOutcome.choices)
    text = serializers.CharField(source="message.text")
    message = serializers.IntegerField(source="message_id")

    class Meta:
        model = Call
        fields = (
            "id",
            "message",
            "user",
            "is_inbound",
            "outcome",
            "duration_seconds",
            "text",
            "started_at",
        )
