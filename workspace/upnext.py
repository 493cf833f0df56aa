"""The one ticket that somebody should take up next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import F
from django.db.models.functions import Coalesce

from people.models import Team, User
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet
from workspace.presence import open_by_others

#: So many are looked through before we say that there is nothing.
CANDIDATES = 200
_NEVER = datetime.max.replace(tzinfo=UTC)


def best_next(user: User, *, after: int = 0) -> int | None:
    """The number of the ticket that is due first, then the most urgent, then the one that waits
    longest: of those that wait for us, that are mine or nobody's of my teams, and that no colleague
    has open. `after` is the ticket that one comes from: whoever skips one gets the next."""
    waiting = Ticket.objects.visible_to(user).waiting_for_us().counted().awake()
    free = waiting.filter(assignee=None, team__in=Team.objects.of(user).values("pk"))
    # Each has an index of its own, which one query for both would not find.
    rows = [*_first(waiting.filter(assignee=user)), *_first(free)]
    numbers = [number for *_order, number in sorted(rows)]
    taken = open_by_others(user) if numbers else set()
    if after in numbers:
        at = numbers.index(after) + 1
        numbers = numbers[at:] + numbers[: at - 1]
    return next((number for number in numbers if number not in taken), None)


def _first(tickets: TicketQuerySet) -> Iterator[tuple[bool, datetime, int, datetime, int]]:
    """Those that come first, each with what it is ordered by."""
    first = tickets.annotate(since=Coalesce("waiting_since", "created_at")).order_by(
        F("due_at").asc(nulls_last=True), "-priority", "since", "pk"
    )
    fields = ("due_at", "priority", "since", "number")
    for due, priority, since, number in first.values_list(*fields)[:CANDIDATES]:
        yield due is None, due or _NEVER, -priority, since, number
