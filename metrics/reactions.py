"""What this room owes when something happens to a ticket: new facts of it."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from metrics.models import StaleFacts
from metrics.tasks import refold_ticket
from tickets.history import recorded
from tickets.models import Ticket
from tickets.owed import hurry


@receiver(recorded)
def owe_facts(ticket: Ticket, **_: Any) -> None:
    stale = StaleFacts.objects.note(ticket.pk)
    if stale is not None:
        hurry(refold_ticket, stale)
