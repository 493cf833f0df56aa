"""Finding a ticket by a few words. The whole text of messages is not searched here."""

from __future__ import annotations

import re

from django.db.models import Q

from people.models import Customer, User
from tickets.models import Ticket

SHOWN = 50


def found(words: str, *, user: User) -> list[Ticket]:
    """Tickets whose customer's address, or whose customer's name or subject, has these words:
    newest message first."""
    tickets = Ticket.objects.visible_to(user).select_related("customer", "status")
    if "@" in words:
        customers = Customer.objects.with_email(words)
        return list(tickets.filter(customer__in=customers).order_by("-last_message_at")[:SHOWN])
    parts = re.findall(r"\w+", words)[:8]
    if not parts:
        return []
    in_subject, in_name = Q(), Q()
    for part in parts:
        in_subject &= Q(subject__icontains=part)
        in_name &= Q(customer__name__icontains=part)
    return list(tickets.filter(in_subject | in_name).order_by("-last_message_at")[:SHOWN])
