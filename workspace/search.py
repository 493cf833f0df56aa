"""Finding a ticket by a few words. The whole text of messages is not searched here."""

from __future__ import annotations

import re

from django.db.models import Q

from people.models import Customer, User
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet


def found(words: str, *, user: User) -> TicketQuerySet:
    """Tickets whose customer's address, or whose customer's name or subject, has these words:
    newest message first."""
    tickets = Ticket.objects.visible_to(user).order_by("-last_message_at", "-pk")
    if "@" in words:
        customers = Customer.objects.with_email(words)
        return tickets.filter(customer__in=customers)
    parts = re.findall(r"\w+", words)[:8]
    if not parts:
        return tickets.none()
    in_subject, in_name = Q(), Q()
    for part in parts:
        in_subject &= Q(subject__icontains=part)
        in_name &= Q(customer__name__icontains=part)
    return tickets.filter(in_subject | in_name)
