from __future__ import annotations

from django.db import transaction

from tickets import history
from tickets.actor import Actor
from tickets.models import Event, Kind, Ticket


class CannotBeAnnulled(Exception):
    """An annulment stands: what it took back is recorded anew instead."""


@transaction.atomic
def annul_event(event: Event, *, actor: Actor, reason: str) -> Event:
    """Declare a wrong event void: it stays readable and counts for nothing any more.

    The ticket itself stays as it is, closed ones too; an event is annulled once. Raises
    `CannotBeAnnulled` for an annulment.
    """
    ticket = Ticket.objects.locked().get(pk=event.ticket_id)
    if event.kind == Kind.ANNULLED:
        raise CannotBeAnnulled
    annulment = event.annulled_by.first()
    if annulment:
        return annulment
    ticket.save_change()
    return history.record(ticket, Kind.ANNULLED, actor=actor, annuls=event, reason=reason)
