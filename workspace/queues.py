"""The agents' queues: what stands in each, how many, and one page of it after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from people.models import Role, Team, User
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet

PAGE_SIZE = 50
#: Counting stops here, so that a queue of any length is counted in the same time.
COUNT_LIMIT = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Queue:
    slug: str
    name: str | Promise
    icon: str
    #: What an empty queue says.
    empty: str | Promise
    tickets: Callable[[User], TicketQuerySet]

    @property
    def url(self) -> str:
        return reverse("desk_queue", args=[self.slug])


def _mine(user: User) -> TicketQuerySet:
    return Ticket.objects.open().counted().filter(assignee=user)


def _unassigned(user: User) -> TicketQuerySet:
    tickets = Ticket.objects.open().counted().filter(assignee=None)
    if user.is_manager:
        return tickets
    return tickets.filter(Q(team=None) | Q(team__in=Team.objects.of(user).values("pk")))


def _open(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).open().counted()


def _waiting(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).waiting_for_others().counted()


def _solved(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).solved().counted()


QUEUES = {
    queue.slug: queue
    for queue in (
        Queue(
            "mine",
            _("My open"),
            "inbox",
            _("Nothing waits for you. Take a ticket from the unassigned ones."),
            _mine,
        ),
        Queue(
            "unassigned",
            _("Unassigned"),
            "users",
            _("Somebody has taken every ticket of your teams."),
            _unassigned,
        ),
        Queue("open", _("All open"), "layers", _("Every request has been solved."), _open),
        Queue(
            "waiting",
            _("Waiting"),
            "clock",
            _("No ticket waits for a customer or for somebody else."),
            _waiting,
        ),
        Queue(
            "solved",
            pgettext_lazy("tickets", "Solved"),
            "check",
            _("Solved tickets stay here until they are closed."),
            _solved,
        ),
    )
}


def counts(user: User) -> dict[str, int]:
    """How many tickets stand in each queue, at most one above the limit: one query."""
    sql, values = _counting(user.pk, is_manager=user.is_manager, limit=COUNT_LIMIT + 1)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    assert row
    return dict(zip(QUEUES, row, strict=True))


@lru_cache(maxsize=1000)
def _counting(pk: int, *, is_manager: bool, limit: int) -> tuple[str, list[Any]]:
    """The SQL of five queries in one. Writing it takes longer than running it, and it is the same
    on every page: who is on which team is looked up when it runs."""
    user = User(pk=pk, role=Role.MANAGER if is_manager else Role.AGENT)
    parts: list[str] = []
    values: list[Any] = []
    for queue in QUEUES.values():
        # In the list's order, so that its index is read from the front, and only up to the limit.
        tickets = queue.tickets(user).order_by("-last_message_at", "-pk")
        sql, params = tickets.annotate(one=Value(1)).values("one")[:limit].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS part)")  # noqa: S608 - Django's own SQL
        values += params
    return f"SELECT {', '.join(parts)}", values


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that is read from the newest message to the oldest."""

    moment: datetime
    pk: int

    @classmethod
    def of(cls, ticket: Any) -> Place:
        return cls(ticket.last_message_at, ticket.pk)

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place that `str` wrote, or none for anything else."""
        micros, dash, pk = text.partition("-")
        if not (dash and _is_number(micros) and _is_number(pk)):
            return None
        try:
            return cls(_EPOCH + timedelta(microseconds=int(micros)), int(pk))
        except OverflowError:
            return None

    def __str__(self) -> str:
        return f"{(self.moment - _EPOCH) // timedelta(microseconds=1)}-{self.pk}"

    @property
    def older(self) -> Q:
        # The first condition alone is what the index is entered with; the second breaks ties.
        return Q(last_message_at__lte=self.moment) & (
            Q(last_message_at__lt=self.moment) | Q(pk__lt=self.pk)
        )

    @property
    def newer(self) -> Q:
        return Q(last_message_at__gte=self.moment) & (
            Q(last_message_at__gt=self.moment) | Q(pk__gt=self.pk)
        )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list with the places from which its neighbours continue."""

    tickets: list[Any]
    before: Place | None
    after: Place | None


def page_of(
    tickets: QuerySet[Ticket, Any],
    *,
    after: Place | None = None,
    before: Place | None = None,
    size: int = PAGE_SIZE,
) -> Page:
    """The tickets older than `after`, or newer than `before`, newest message first: one query."""
    if before:
        rows = list(tickets.filter(before.newer).order_by("last_message_at", "pk")[: size + 1])
        has_newer = len(rows) > size
        rows = rows[:size][::-1]
        if len(rows) < size:
            # Reading back reached the beginning: show a whole first page.
            return page_of(tickets, size=size)
        return Page(
            rows,
            before=Place.of(rows[0]) if has_newer else None,
            after=Place.of(rows[-1]),
        )
    found = tickets.filter(after.older) if after else tickets
    rows = list(found.order_by("-last_message_at", "-pk")[: size + 1])
    has_older = len(rows) > size
    rows = rows[:size]
    return Page(
        rows,
        before=Place.of(rows[0]) if after and rows else None,
        after=Place.of(rows[-1]) if has_older else None,
    )
