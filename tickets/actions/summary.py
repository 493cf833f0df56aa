"""What the lists show of a ticket's messages, told anew after some of them came or went."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from people.models.names import one_line
from tickets.models import CallOutcome, Message, MessageKind, Ticket

#: In these two spoke with one another: whoever waited for an answer has had one.
SPOKEN = (CallOutcome.RESOLVED, CallOutcome.ANSWERED)
FIELDS = ("last_message_at", "excerpt", "waiting_since")


def tell_again(ticket: Ticket) -> None:
    """Read from the ticket's messages what `last_message_at`, `excerpt` and `waiting_since` are;
    the caller holds the ticket's lock and saves `FIELDS`."""
    messages = Message.objects.filter(ticket=ticket)
    last = messages.public().order_by("-occurred_at", "-pk").only("occurred_at", "text").first()
    ticket.last_message_at = last.occurred_at if last else ticket.created_at
    ticket.excerpt = one_line(last.text[:2000], limit=200) if last else ""
    ticket.waiting_since = None if ticket.is_over else waiting_since(ticket)


def after_an_answer(ticket: Ticket) -> datetime | None:
    """What `waiting_since` is once a message or a call that answers somebody was stored."""
    since = ticket.waiting_since
    return waiting_since(ticket, since=since) if since else None


def waiting_since(ticket: Ticket, *, since: datetime | None = None) -> datetime | None:
    """When the earliest customer message came (of those since then) that nobody has answered.

    Of the tickets of two customers that were joined each customer waits for an answer of their
    own; whoever was answered in one of their conversations, or spoken to on the phone, waits in
    none of them.
    """
    messages = Message.objects.filter(ticket=ticket)
    asked = messages.filter(kind=MessageKind.INBOUND, is_automatic=False)
    answers = messages.filter(
        Q(kind=MessageKind.OUTBOUND, is_automatic=False, author_user__isnull=False)
        | Q(call__outcome__in=SPOKEN),
        Q(occurred_at__gte=OuterRef("occurred_at")) | Q(pk__gt=OuterRef("pk")),
        conversation__customer=OuterRef("conversation__customer"),
    )
    if since:
        asked = asked.filter(occurred_at__gte=since)
    unanswered = asked.exclude(Exists(answers)).order_by("occurred_at", "pk")
    return unanswered.values_list("occurred_at", flat=True).first()
