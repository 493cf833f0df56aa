from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from celery import shared_task
from django.db import transaction

from tickets.actions import close_ticket, wake_ticket
from tickets.actions.drafts import sweep_uploads
from tickets.actions.held import send_held_message
from tickets.actor import Actor
from tickets.models import HeldMessage, Ticket

__all__ = [
    "close_solved_tickets",
    "forget_uploads",
    "send_held_message",
    "sweep_held_messages",
]

log = structlog.get_logger(__name__)

AT_ONCE = 100
AT_MOST = 5_000
#: A message that is due for longer has been forgotten by its task.
LATE: Final = timedelta(seconds=5)


@shared_task
def close_solved_tickets() -> int:
    """Close the tickets whose time to reopen is over, and return how many.

    Safe to run twice and by two workers at once: each batch is a transaction of its own, and a
    ticket that somebody else holds waits for the next run.
    """
    closed = 0
    while closed < AT_MOST:
        batch = _close_some()
        closed += batch
        if batch < AT_ONCE:
            break
    if closed:
        log.info("solved_tickets_closed", number=closed)
    return closed


@transaction.atomic
def _close_some() -> int:
    tickets = list(Ticket.objects.to_close().free().order_by("solved_at", "pk")[:AT_ONCE])
    for ticket in tickets:
        close_ticket(ticket, actor=Actor.system())
    return len(tickets)


@shared_task
def wake_snoozed_tickets() -> int:
    """Bring back the tickets whose time to be put aside is over, and return how many; as safe as
    closing."""
    woken = 0
    while woken < AT_MOST:
        batch = _wake_some()
        woken += batch
        if batch < AT_ONCE:
            break
    return woken


@transaction.atomic
def _wake_some() -> int:
    tickets = list(Ticket.objects.to_wake().free().order_by("snoozed_until", "pk")[:AT_ONCE])
    for ticket in tickets:
        wake_ticket(ticket, actor=Actor.system())
    return len(tickets)


@shared_task
def sweep_held_messages() -> None:
    """Send the messages whose time to take them back is over and that no task has sent."""
    late = HeldMessage.objects.late(by=LATE).order_by("due_at")
    for pk in late.values_list("pk", flat=True)[:AT_ONCE]:
        send_held_message.delay(pk)


@shared_task
def forget_uploads() -> int:
    """Delete the files that were put beside a draft and that nobody went on with."""
    gone = sweep_uploads()
    if gone:
        log.info("uploads_forgotten", number=gone)
    return gone
