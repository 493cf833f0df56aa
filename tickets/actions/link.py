from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from tickets import history
from tickets.actions.classify import set_type
from tickets.actions.versions import TicketRefusal, both_locked, check_seen
from tickets.actor import Actor
from tickets.models import Kind, LinkKind, Ticket, TicketLink, TicketType


class LinksToItself(TicketRefusal):
    """Two tickets make a link."""


class AlreadyLinked(TicketRefusal):
    """These two are linked, in one way at a time."""


class HasAnotherProblem(TicketRefusal):
    """An incident has one cause."""


@transaction.atomic
def link_tickets(
    ticket: Ticket, *, to: Ticket, kind: LinkKind, actor: Actor, seen: int | None = None
) -> TicketLink:
    """Say that the ticket is related to another, says the same (`DUPLICATE`), or is caused by it
    (`INCIDENT`); an incident and its problem become so by type too, where they are not closed.

    Closed tickets are linked too: it is about finding things. Raises `TicketHasChanged`,
    `LinksToItself`, `AlreadyLinked`, or `HasAnotherProblem`.
    """
    if ticket.pk == to.pk:
        raise LinksToItself(ticket)
    ticket, to = both_locked(ticket, to)
    check_seen(ticket, seen)
    if between(ticket, to):
        raise AlreadyLinked(ticket)
    if kind == LinkKind.INCIDENT and ticket.links.filter(kind=kind).exists():
        raise HasAnotherProblem(ticket)
    link = TicketLink.objects.create(ticket=ticket, other=to, kind=kind, created_by=actor.as_user)
    _record(link, Kind.LINKED, ticket, to, actor=actor)
    if kind == LinkKind.INCIDENT:
        for one, type_ in ((ticket, TicketType.INCIDENT), (to, TicketType.PROBLEM)):
            if not one.is_closed:
                set_type(one, to=type_, actor=actor)
    return link


@transaction.atomic
def unlink_tickets(ticket: Ticket, *, other: Ticket, actor: Actor, seen: int | None = None) -> None:
    """Say that the two have nothing to do with each other; two that are not linked stay so.

    Raises `TicketHasChanged`.
    """
    ticket, other = both_locked(ticket, other)
    check_seen(ticket, seen)
    link = between(ticket, other)
    if link is None:
        return
    link.delete()
    _record(link, Kind.UNLINKED, ticket, other, actor=actor)


def between(one: Ticket, two: Ticket) -> TicketLink | None:
    return TicketLink.objects.filter(Q(ticket=one, other=two) | Q(ticket=two, other=one)).first()


def _record(link: TicketLink, what: Kind, ticket: Ticket, other: Ticket, *, actor: Actor) -> None:
    for here, there in ((ticket, other), (other, ticket)):
        here.save_change()
        history.record(
            here,
            what,
            actor=actor,
            to=there.number,
            kind_of_link=link.kind,
            is_from_here=link.ticket_id == here.pk,
        )
