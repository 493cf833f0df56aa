"""The built-in views: what stands in each, and how many. Nobody can change or break them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from psycopg.errors import QueryCanceled

from people.models import Role, Team, User
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet
from workspace import columns
from workspace.keyset import PAGE_SIZE, Page, Place, page_of
from workspace.models import View

__all__ = ["COUNT_LIMIT", "PAGE_SIZE", "QUEUES", "Page", "Place", "Queue", "counts", "page_of"]

#: Counting stops here, so that a queue of any length is counted in the same time.
COUNT_LIMIT = 1000
#: What stands before this moment from now on is due soon.
SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Queue:
    """A list of tickets that has a name: a built-in view, or a saved one."""

    slug: str
    name: str | Promise
    icon: str
    #: What an empty queue says.
    empty: str | Promise
    tickets: Callable[[User], TicketQuerySet]
    #: By which column it is ordered, with "-" before it for the last one first.
    sort: str = "-last_message_at"
    columns: tuple[str, ...] = columns.DEFAULT
    group_by: str = ""
    for_managers: bool = False
    view: View | None = None
    #: Whether what it asks follows from itself alone, and from no field that may be gone tomorrow.
    is_fixed: bool = True

    @property
    def url(self) -> str:
        if self.view:
            return reverse("desk_view", args=[self.view.pk])
        return reverse("desk_queue", args=[self.slug])

    @property
    def edition(self) -> str:
        """Another one once the queue means something else."""
        return f"{self.slug} {self.view.updated_at.isoformat()}" if self.view else self.slug


def _mine(user: User) -> TicketQuerySet:
    return Ticket.objects.open().counted().awake().filter(assignee=user)


def _unassigned(user: User) -> TicketQuerySet:
    tickets = Ticket.objects.open().counted().awake().filter(assignee=None)
    if user.is_manager:
        return tickets
    return tickets.filter(Q(team=None) | Q(team__in=Team.objects.of(user).values("pk")))


def _open(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).open().counted().awake()


def _due(user: User) -> TicketQuerySet:
    return _open(user).filter(due_at__lt=Now() + SOON)


def _waiting(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).waiting_for_others().counted().awake()


def _snoozed(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).open().counted().snoozed()


def _solved(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).solved().counted()


def _marked(user: User) -> TicketQuerySet:
    return Ticket.objects.visible_to(user).marked()


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
            "due",
            _("Due soon"),
            "alarm-clock",
            _("Nothing is due within the next 24 hours."),
            _due,
            sort="due_at",
            columns=("subject", "due_at", "customer", "status", "priority", "assignee", "team"),
        ),
        Queue(
            "waiting",
            _("Waiting"),
            "clock",
            _("No ticket waits for a customer or for somebody else."),
            _waiting,
        ),
        Queue(
            "snoozed",
            _("Snoozed"),
            "moon",
            _("No ticket is snoozed."),
            _snoozed,
            sort="snoozed_until",
            columns=("subject", "snoozed_until", "customer", "status", "assignee", "team"),
        ),
        Queue(
            "solved",
            pgettext_lazy("tickets", "Solved"),
            "check",
            _("Solved tickets stay here until they are closed."),
            _solved,
        ),
        Queue(
            "marked",
            _("Spam and test"),
            "shield-alert",
            _("No ticket is marked as spam or test."),
            _marked,
            columns=("subject", "mark", "customer", "status", "team", "last_message_at"),
            for_managers=True,
        ),
    )
}


def built_in(user: User) -> list[Queue]:
    """The built-in views in the order in which they stand where nobody chose another."""
    return [queue for queue in QUEUES.values() if user.is_manager or not queue.for_managers]


# -- How many ------------------------------------------------------------------------------------

#: Counting what people save may take so long and no longer, whatever they ask.
PATIENCE = timedelta(milliseconds=40)
#: A view that took longer is counted so far only, for so many seconds; if that too takes longer, it
#: shows no number.
SHORT_LIMIT = 100
REST_SECONDS = 600
#: Until when, and how far then.
_slow: dict[tuple[int, str], tuple[float, int]] = {}
#: A built-in view of more than the limit is not counted again for so many seconds: most of what the
#: count costs, and it says the same for days.
LONG_SECONDS = 15
#: Until when.
_long: dict[tuple[int, str, bool], float] = {}


class AtLeast(int):
    """A number at which counting stopped before its time."""


def counts(user: User, listed: Sequence[Queue] | None = None) -> dict[str, int | None]:
    """How many tickets stand in each of the queues, at most one above the limit: one query.

    A saved view that cannot be counted in time has `AtLeast` fewer, or `None`.
    A built-in view above the limit is taken to stay there for `LONG_SECONDS`.
    """
    listed = built_in(user) if listed is None else listed
    now = monotonic()
    long = {
        queue.slug: COUNT_LIMIT + 1 for queue in listed if _long.get(_known(user, queue), 0) > now
    }
    numbers = long | _counted_now(user, [queue for queue in listed if queue.slug not in long], now)
    for queue in listed:
        number = numbers[queue.slug] or 0
        if number > COUNT_LIMIT and queue.slug in QUEUES and queue.slug not in long:
            _long[_known(user, queue)] = now + LONG_SECONDS
    return numbers


def _known(user: User, queue: Queue) -> tuple[int, str, bool]:
    return user.pk, queue.edition, user.is_manager


def _counted_now(user: User, listed: Sequence[Queue], now: float) -> dict[str, int | None]:
    asked: list[tuple[Queue, int]] = []
    for queue in listed:
        until, limit = _slow.get((user.pk, queue.edition), (0, COUNT_LIMIT))
        if until < now:
            limit = COUNT_LIMIT
        if limit:
            asked.append((queue, limit))
    numbers: dict[str, int | None] = dict.fromkeys((queue.slug for queue in listed), None)
    try:
        numbers |= _counted(user, asked)
    except _TooSlow:
        pass
    else:
        return numbers
    # Once in ten minutes at most: which of them is it?
    numbers |= _counted(user, [(queue, limit) for queue, limit in asked if queue.view is None])
    for queue, _limit in asked:
        if queue.view:
            numbers |= _counted_alone(user, queue, now=now)
    return numbers


def _counted_alone(user: User, queue: Queue, *, now: float) -> dict[str, int | None]:
    for limit in (COUNT_LIMIT, SHORT_LIMIT):
        try:
            number = _counted(user, [(queue, limit)])
        except _TooSlow:
            continue
        if limit != COUNT_LIMIT:
            _slow[user.pk, queue.edition] = now + REST_SECONDS, limit
        return number
    _slow[user.pk, queue.edition] = now + REST_SECONDS, 0
    return {}


class _TooSlow(Exception):
    pass


def _counted(user: User, asked: Sequence[tuple[Queue, int]]) -> dict[str, int | None]:
    """Raises `_TooSlow`."""
    if not asked:
        return {}
    parts = [_counting(queue, user, limit) for queue, limit in asked]
    sql = f"SELECT {', '.join(part for part, _values in parts)}"
    values = [value for _part, given in parts for value in given]
    if all(queue.view is None for queue, _limit in asked):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
    else:
        row = _hurried(sql, values)
    assert row
    return {
        queue.slug: AtLeast(limit) if limit < min(number, COUNT_LIMIT) else number
        for (queue, limit), number in zip(asked, row, strict=True)
    }


def _hurried(sql: str, values: list[Any]) -> Any:
    """The one row of a query that PostgreSQL gives up when it takes too long: one round trip."""
    limit = int(PATIENCE.total_seconds() * 1000)
    hurried = (
        f"SET LOCAL statement_timeout = {limit}; {sql}; SET LOCAL statement_timeout TO DEFAULT"
    )
    try:
        # A savepoint where a transaction is under way, so that giving up does not end it.
        inner = transaction.atomic() if connection.in_atomic_block else nullcontext()
        with inner, connection.cursor() as cursor:
            cursor.execute(hurried, values)
            cursor.nextset()
            return cursor.fetchone()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise _TooSlow from None
        raise


@lru_cache(maxsize=4000)
def _written(edition: str, pk: int, limit: int, *, is_manager: bool) -> dict[str, Any]:
    """A place to keep the SQL of a queue for a user: writing it takes longer than running it, and
    it is the same on every page. Who is on which team is looked up when it runs."""
    return {}


def _counting(queue: Queue, user: User, limit: int) -> tuple[str, list[Any]]:
    kept = _written(queue.edition, user.pk, limit, is_manager=user.is_manager)
    if not kept:
        reader = User(pk=user.pk, role=Role.MANAGER if user.is_manager else Role.AGENT)
        tickets = queue.tickets(reader).order_by()
        if queue.view is None:
            # In the list's order: its index is read from the front, and only up to the limit.
            order = columns.Columns().order(queue.sort)
            tickets = tickets.order_by(*order.ordering(forth=True))
        rows = tickets.annotate(one=Value(1)).values("one")[: limit + 1]
        sql, params = rows.query.sql_with_params()
        kept["sql"] = f"(SELECT count(*) FROM ({sql}) AS part)"  # noqa: S608 - Django's own SQL
        kept["params"] = list(params)
    return kept["sql"], kept["params"]
