"""What a change leaves behind, and what a refusal must not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tickets.models import Attachment, Event, Message, Ticket


def newest_event(ticket: Ticket) -> Event:
    return ticket.events.order_by("-pk")[0]


def kinds(ticket: Ticket, *, after: int = 0) -> list[str]:
    """The kinds of the ticket's events in the order in which they were recorded."""
    return list(
        ticket.events.filter(version__gt=after).order_by("pk").values_list("kind", flat=True)
    )


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def everything_of(ticket: Ticket) -> dict[str, Any]:
    return {
        "row": Ticket.objects.filter(pk=ticket.pk).values().get(),
        "events": list(ticket.events.order_by("pk").values()),
        "messages": list(Message.objects.filter(ticket=ticket).order_by("pk").values()),
        "files": list(Attachment.objects.filter(message__ticket=ticket).values()),
        "tickets": Ticket.objects.count(),
    }


@contextmanager
def refused(ticket: Ticket, exception: type[Exception]) -> Iterator[pytest.ExceptionInfo[Any]]:
    """Everything inside is refused with this exception, and the ticket is as it was."""
    before = everything_of(ticket)
    with pytest.raises(exception) as raised:
        yield raised
    assert everything_of(ticket) == before


def assert_snapshot_fits(event: Event, ticket: Ticket) -> None:
    """The event says what the ticket is like after the change that it belongs to."""
    ticket = fresh(ticket)
    names = ("team_id", "assignee_id", "status_id", "status_category", "priority", "category_id")
    for name in (*names, "channel", "version"):
        assert getattr(event, name) == getattr(ticket, name), name
