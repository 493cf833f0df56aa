from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from people.models.names import one_line
from tickets import history
from tickets.actions.versions import locked_for_change, locked_though_closed
from tickets.actor import Actor
from tickets.models import Category, Kind, Mark, Priority, Ticket, TicketType
from tickets.models.tickets import TAG_BYTES, TAGS_BYTES


@transaction.atomic
def set_category(
    ticket: Ticket,
    *,
    to: Category | None,
    actor: Actor,
    seen: int | None = None,
    reason: Any = None,
) -> Ticket:
    """Say what the ticket is about. Raises `TicketIsClosed` or `TicketHasChanged`."""
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.category_id == (to.pk if to else None):
        return ticket
    before, ticket.category = ticket.category_id, to
    ticket.save_change("category")
    history.record(
        ticket,
        Kind.CATEGORY_CHANGED,
        actor=actor,
        before=before,
        after=ticket.category_id,
        reason=reason,
    )
    return ticket


@transaction.atomic
def set_priority(
    ticket: Ticket, *, to: Priority, actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Say how soon the ticket needs us. Raises `TicketIsClosed` or `TicketHasChanged`."""
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.priority == to:
        return ticket
    before, ticket.priority = Priority(ticket.priority), to
    ticket.save_change("priority")
    history.record(
        ticket, Kind.PRIORITY_CHANGED, actor=actor, before=before.slug, after=to.slug, reason=reason
    )
    return ticket


@transaction.atomic
def set_type(ticket: Ticket, *, to: TicketType, actor: Actor, seen: int | None = None) -> Ticket:
    """Say what kind of work the ticket is. Raises `TicketIsClosed` or `TicketHasChanged`."""
    ticket = locked_for_change(ticket, seen=seen)
    if ticket.type == to:
        return ticket
    before, ticket.type = ticket.type, to
    ticket.save_change("type")
    history.record(ticket, Kind.TYPE_CHANGED, actor=actor, before=before, after=to.value)
    return ticket


class TooManyTags(Exception):
    """More than a ticket holds: some thirty long ones."""


@transaction.atomic
def set_tags(
    ticket: Ticket, *, to: Iterable[str], actor: Actor, seen: int | None = None, reason: Any = None
) -> Ticket:
    """Give the ticket these tags and no others; case and doubles do not count.

    Raises `TicketIsClosed`, `TicketHasChanged`, or `TooManyTags`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    words = _words(to)
    after = normalised_tags(words)
    if len(after) < len(words):
        raise TooManyTags
    if ticket.tags == after:
        return ticket
    before, ticket.tags = ticket.tags, after
    ticket.save_change("tags")
    history.record(
        ticket, Kind.TAGS_CHANGED, actor=actor, before=before, after=after, reason=reason
    )
    return ticket


def normalised_tags(tags: Iterable[str]) -> list[str]:
    """In lower case, single-spaced, at most 50 characters each, sorted, each once; of more than one
    ticket holds, some thirty long ones, those that come first."""
    kept: list[str] = []
    room = TAGS_BYTES
    for word in _words(tags):
        if (room := room - len(word.encode()) - TAG_BYTES) >= 0:
            kept.append(word)
    return sorted(kept)


def _words(tags: Iterable[str]) -> list[str]:
    words = (one_line(tag.lower(), limit=50) for tag in tags)
    return list(dict.fromkeys(word for word in words if word))


@transaction.atomic
def mark_ticket(
    ticket: Ticket, *, as_: Mark | None, actor: Actor, seen: int | None = None
) -> Ticket:
    """Mark the ticket as spam or test, so that it counts nowhere; `None` takes the mark away.

    A closed ticket takes it too: a mark is about counting and not about work, and that a ticket
    should not have counted is often seen only afterwards. Raises `TicketHasChanged`.
    """
    ticket = locked_though_closed(ticket, seen=seen)
    after = as_.value if as_ else ""
    if ticket.mark == after:
        return ticket
    before, ticket.mark = ticket.mark, after
    ticket.save_change("mark")
    history.record(ticket, Kind.MARKED, actor=actor, before=before, after=after)
    return ticket
