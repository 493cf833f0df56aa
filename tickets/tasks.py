from __future__ import annotations

import structlog
from celery import shared_task
from django.db import transaction

from tickets.actions import close_ticket
from tickets.actor import Actor
from tickets.models import Ticket

log = structlog.get_logger(__name__)

AT_ONCE = 100
AT_MOST = 5_000


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
