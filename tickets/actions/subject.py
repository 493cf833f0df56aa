from __future__ import annotations

from django.db import transaction

from people.models.names import one_line
from tickets import history
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.models import Kind, Ticket


class SubjectIsEmpty(TicketRefusal):
    """A ticket is called something."""


@transaction.atomic
def set_subject(ticket: Ticket, *, to: str, actor: Actor, seen: int | None = None) -> Ticket:
    """Call the ticket something else: one line of at most 300 characters.

    Raises `TicketIsClosed`, `TicketHasChanged` or `SubjectIsEmpty`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    after = one_line(to, limit=300)
    if not after:
        raise SubjectIsEmpty(ticket)
    if ticket.subject == after:
        return ticket
    before, ticket.subject = ticket.subject, after
    ticket.save_change("subject")
    history.record(ticket, Kind.SUBJECT_CHANGED, actor=actor, before=before, after=after)
    return ticket
