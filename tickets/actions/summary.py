"""What the lists show of a ticket's messages, told anew after some of them came or went."""

from __future__ import annotations

from people.models.names import one_line
from tickets.models import Message, MessageKind, Ticket

FIELDS = ("last_message_at", "excerpt", "waiting_since")


def tell_again(ticket: Ticket) -> None:
    """Read from the ticket's messages what `last_message_at`, `excerpt` and `waiting_since` are;
    the caller holds the ticket's lock and saves `FIELDS`."""
    messages = Message.objects.filter(ticket=ticket)
    last = messages.public().order_by("-occurred_at", "-pk").only("occurred_at", "text").first()
    ticket.last_message_at = last.occurred_at if last else ticket.created_at
    ticket.excerpt = one_line(last.text[:2000], limit=200) if last else ""
    answered = (
        messages.filter(kind=MessageKind.OUTBOUND, is_automatic=False)
        .exclude(author_user=None)
        .order_by("-occurred_at", "-pk")
        .first()
    )
    asked = messages.filter(kind=MessageKind.INBOUND, is_automatic=False)
    if answered:
        asked = asked.filter(occurred_at__gt=answered.occurred_at)
    first = asked.order_by("occurred_at", "pk").only("occurred_at").first()
    ticket.waiting_since = first.occurred_at if first and not ticket.is_over else None
