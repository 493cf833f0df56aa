"""The one way by which anything is written into a ticket's history."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import Signal

from tickets import clock
from tickets.actor import Actor
from tickets.models import Event, Kind, Message, Ticket

# The only signal of a ticket. Receivers (`reactions.py`) run in the transaction of the change and
# do nothing but write down what their room owes because of it.
recorded = Signal()


def record(
    ticket: Ticket,
    kind: Kind,
    *,
    actor: Actor,
    message: Message | None = None,
    annuls: Event | None = None,
    **data: Any,
) -> Event:
    """Append an event with a snapshot of the ticket, and let the rooms note what they owe.

    Call it inside the transaction of the change, after the ticket was saved. `data` must be
    JSON: before, after and reason of the change.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event is recorded in the transaction of its change.")
    event = Event.objects.create(
        ticket=ticket,
        kind=kind,
        actor_kind=actor.kind,
        actor_user=actor.as_user,
        actor_customer=actor.as_customer,
        actor_name=actor.name[:160],
        occurred_at=clock.now(),
        version=ticket.version,
        data=data,
        message=message,
        annuls=annuls,
        team_id=ticket.team_id,
        assignee_id=ticket.assignee_id,
        status_id=ticket.status_id,
        status_category=ticket.status_category,
        priority=ticket.priority,
        category_id=ticket.category_id,
        channel=ticket.channel,
    )
    recorded.send(sender=Event, event=event, ticket=ticket)
    return event
