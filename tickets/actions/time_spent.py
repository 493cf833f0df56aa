from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from people.models import User
from people.models.names import one_line
from tickets import clock, history
from tickets.actions.versions import TicketRefusal, locked_though_closed
from tickets.actor import Actor
from tickets.models import Kind, Ticket, TimeEntry

#: Nobody works longer on one thing at a stretch.
MOST_SECONDS: Final = 24 * 3600
#: A page tells at least so often what it measured: whatever says more has not measured it.
MOST_MEASURED_SECONDS: Final = 120
#: What is measured within this time of the last measurement continues it.
ONE_SITTING: Final = timedelta(minutes=30)


class NoSuchTime(TicketRefusal):
    """Between one second and a day; a correction takes away at most what was written down."""


@transaction.atomic
def log_time(ticket: Ticket, *, user: User, seconds: int, note: str = "") -> TimeEntry:
    """Write down that the user spent this time on the ticket; a negative time corrects.

    A closed ticket takes it too: the work was done all the same. Raises `NoSuchTime`.
    """
    ticket = locked_though_closed(ticket)
    if not 0 < abs(seconds) <= MOST_SECONDS:
        raise NoSuchTime(ticket)
    if seconds < 0 and _spent(ticket, user) + seconds < 0:
        raise NoSuchTime(ticket)
    entry = TimeEntry.objects.create(
        ticket=ticket,
        user=user,
        seconds=seconds,
        note=one_line(note, limit=200),
        spent_at=clock.now(),
    )
    ticket.save_change()
    history.record(
        ticket, Kind.TIME_LOGGED, actor=Actor.user(user), seconds=seconds, note=entry.note
    )
    return entry


@transaction.atomic
def add_measured_time(ticket: Ticket, *, user: User, seconds: int) -> TimeEntry | None:
    """Add what a page measured while it was in front of the user: to the entry of the same
    sitting, and without an event, since it comes every minute. Nothing comes of nothing."""
    seconds = min(seconds, MOST_MEASURED_SECONDS)
    if seconds <= 0:
        return None
    # One page of one person after another: two pages in front at once do not make two entries.
    User.objects.get_queryset().select_for_update(no_key=True).get(pk=user.pk)
    now = clock.now()
    measured = TimeEntry.objects.filter(ticket=ticket, user=user, is_measured=True)
    last = measured.filter(spent_at__gt=now - ONE_SITTING).order_by("-spent_at", "-pk").first()
    if last is None:
        return TimeEntry.objects.create(
            ticket=ticket, user=user, seconds=seconds, is_measured=True, spent_at=now
        )
    # Never more than has passed since the page last told.
    seconds = min(seconds, int((now - last.spent_at).total_seconds()) + 5)
    TimeEntry.objects.filter(pk=last.pk).update(seconds=F("seconds") + seconds, spent_at=now)
    last.refresh_from_db()
    return last


def _spent(ticket: Ticket, user: User) -> int:
    return sum(TimeEntry.objects.filter(ticket=ticket, user=user).values_list("seconds", flat=True))
