"""Doing a bulk change: one ticket after another, each in a transaction of its own.

A worker that dies leaves the tickets that it has done as done and the rest as owed; two workers at
once never take the same one. Nothing is changed but by the actions that an agent's own click calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from people.models import User
from tickets.actions import (
    TicketRefusal,
    follow_ticket,
    merge_tickets,
    set_due,
    snooze_ticket,
    unfollow_ticket,
    unmerge_ticket,
    wake_ticket,
)
from tickets.actor import Actor
from tickets.models import Priority, Ticket
from triage.changes import UnknownChange, apply_changes
from workspace.models import BulkChange, BulkItem

log = structlog.get_logger(__name__)

Change = dict[str, Any]

#: A worker goes on so long, then lets another task take its turn.
TURN_SECONDS: Final = 60
#: A change of which nothing was heard for so long has lost its worker.
LATE: Final = timedelta(seconds=20)
AT_ONCE: Final = 100
#: So often a running change says that it is alive, so that no sweep hurries it.
BEAT_SECONDS: Final = 5

DONE, UNCHANGED, STOPPED = "done", "unchanged", "stopped"
NOT_VISIBLE, FAILED = "not_visible", "failed"
UNDONE, CHANGED_SINCE = "undone", "changed_since"


@shared_task
def run_bulk_change(pk: int) -> None:
    """Do what is left of a bulk change, or of undoing it."""
    until = time.monotonic() + TURN_SECONDS
    beat = 0.0
    while time.monotonic() < until:
        if time.monotonic() > beat:
            BulkChange.objects.filter(pk=pk).update(due_at=timezone.now())
            beat = time.monotonic() + BEAT_SECONDS
        if not do_next(pk):
            return
    run_bulk_change.delay(pk)


@shared_task
def sweep_bulk_changes() -> None:
    """Go on with every bulk change that no worker is at."""
    late = BulkChange.objects.late(by=LATE).order_by("due_at")
    for pk in late.values_list("pk", flat=True)[:AT_ONCE]:
        run_bulk_change.delay(pk)


@transaction.atomic
def do_next(pk: int) -> bool:
    """Do one ticket of it. Returns whether there may be more."""
    change = BulkChange.objects.select_related("user__custom_role").filter(pk=pk).first()
    if change is None or change.is_done:
        return False
    wanted = DONE if change.undone_at else ""
    items = BulkItem.objects.filter(change=change, outcome=wanted)
    item = (
        items.select_for_update(skip_locked=True, of=("self",))
        .order_by("-pk" if change.undone_at else "pk")
        .first()
    )
    if item is None:
        _finish(change, wanted)
        return False
    _do(item, change, _undo_one if change.undone_at else _do_one)
    item.save(update_fields=["outcome", "before", "version"])
    return True


def _finish(change: BulkChange, wanted: str) -> None:
    locked = BulkChange.objects.select_for_update().get(pk=change.pk)
    # Another worker may still hold one, or somebody has just asked to undo it.
    is_over = not BulkItem.objects.filter(change=change, outcome=wanted).exists()
    if is_over and locked.undone_at == change.undone_at and not locked.is_done:
        locked.done_at = timezone.now()
        locked.save(update_fields=["done_at"])


def _do(
    item: BulkItem, change: BulkChange, one: Callable[[BulkItem, BulkChange, Ticket], None]
) -> None:
    ticket = Ticket.objects.visible_to(change.user).filter(pk=item.ticket_id).first()
    if ticket is None:
        item.outcome = NOT_VISIBLE
        return
    try:
        with transaction.atomic():
            one(item, change, ticket)
    except TicketRefusal as refusal:
        item.outcome = type(refusal).__name__[:40]
    except UnknownChange:
        item.outcome = UnknownChange.__name__
    except Exception:
        # Whatever is wrong with one ticket, the next one is not to blame.
        log.exception("bulk_item_failed", change=change.pk, ticket=ticket.number)
        item.outcome = FAILED


def _do_one(item: BulkItem, change: BulkChange, ticket: Ticket) -> None:
    locked = _locked(ticket, *_targets(change))
    before = snapshot(locked, change.changes, user=change.user)
    apply(locked, change.changes, user=change.user)
    after = Ticket.objects.get(pk=ticket.pk)
    has_changed = snapshot(after, change.changes, user=change.user) != before
    item.outcome = DONE if has_changed else UNCHANGED
    item.before, item.version = before, after.version


def _undo_one(item: BulkItem, change: BulkChange, ticket: Ticket) -> None:
    locked = _locked(ticket, *([ticket.merged_into_id] if ticket.merged_into_id else []))
    if locked.version != item.version:
        item.outcome = CHANGED_SINCE
        return
    actor = Actor.user(change.user)
    given = dict(item.before)
    if given.pop("merge", None) is False:
        if not Ticket.objects.visible_to(change.user).filter(merged=locked).exists():
            item.outcome = NOT_VISIBLE
            return
        locked = unmerge_ticket(locked, actor=actor)
    apply(locked, [{"set": name, "to": value} for name, value in given.items()], user=change.user)
    item.outcome = UNDONE


def _targets(change: BulkChange) -> list[int]:
    """The tickets into which the change merges."""
    numbers = [one["to"] for one in change.changes if one.get("set") == "merge"]
    numbers = [number for number in numbers if number is not False]
    return list(Ticket.objects.filter(number__in=numbers).values_list("pk", flat=True))


def _locked(ticket: Ticket, *others: int) -> Ticket:
    """The ticket, and with it those with which a merge will concern it: all in the order in which
    a merge locks two, so that two changes never wait for one another for ever."""
    rows = Ticket.objects.locked().filter(pk__in={ticket.pk, *others}).order_by("pk")
    return {row.pk: row for row in rows}[ticket.pk]


# -- What a bulk change can change beside what a macro can -----------------------------------------


def apply(ticket: Ticket, changes: Sequence[Change], *, user: User) -> None:
    """Make all of the changes, or none: the macros' own (see `triage.changes`), and

    {"set": "due", "to": "2026-11-22T09:30+00:00"}      or null
    {"set": "snooze", "to": "2026-11-22T09:30+00:00"}   "reply" until somebody writes, null to wake
    {"set": "follow", "to": true}
    {"set": "merge", "to": 2418}                        into the ticket with this number

    Raises `UnknownChange` and whatever the actions raise.
    """
    actor = Actor.user(user)
    with transaction.atomic():
        apply_changes(ticket, [one for one in changes if one.get("set") not in _OWN], actor)
        for one in changes:
            if own := _OWN.get(one.get("set", "")):
                own(ticket, one["to"], user)


def snapshot(ticket: Ticket, changes: Sequence[Change], *, user: User) -> dict[str, Any]:
    """What the changes are about, as it is: applied as changes, it brings the ticket back."""
    names = {value for one in changes for verb, value in one.items() if verb != "to"}
    if "team" in names:
        # Whoever is not on the new team lets go.
        names.add("assignee")
    return {name: _NOW[name](ticket, user) for name in sorted(names)}


def _due(ticket: Ticket, to: Any, user: User) -> None:
    set_due(ticket, to=_moment(to), actor=Actor.user(user))


def _snooze(ticket: Ticket, to: Any, user: User) -> None:
    if to is None:
        wake_ticket(ticket, actor=Actor.user(user))
    else:
        until = None if to == "reply" else _moment(to)
        snooze_ticket(ticket, until=until, actor=Actor.user(user))


def _follow(ticket: Ticket, to: Any, user: User) -> None:
    (follow_ticket if to else unfollow_ticket)(ticket, user=user)


def _merge(ticket: Ticket, to: Any, user: User) -> None:
    if to is False or ticket.number == to:
        return
    into = Ticket.objects.visible_to(user).filter(number=to).first()
    if into is None:
        raise UnknownChange({"set": "merge", "to": to})
    merge_tickets(ticket, into=into, actor=Actor.user(user))


def _moment(to: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(to) if to else None
    except (TypeError, ValueError) as error:
        raise UnknownChange(to) from error


_OWN: Final[dict[str, Callable[[Ticket, Any, User], None]]] = {
    "due": _due,
    "snooze": _snooze,
    "follow": _follow,
    "merge": _merge,
}


def _snoozed(ticket: Ticket) -> str | None:
    if not ticket.is_snoozed:
        return None
    return ticket.snoozed_until.isoformat() if ticket.snoozed_until else "reply"


_NOW: Final[dict[str, Callable[[Ticket, User], Any]]] = {
    "status": lambda ticket, user: ticket.status_id,
    "priority": lambda ticket, user: Priority(ticket.priority).slug,
    "category": lambda ticket, user: ticket.category_id,
    "type": lambda ticket, user: ticket.type,
    "team": lambda ticket, user: ticket.team_id,
    "assignee": lambda ticket, user: ticket.assignee_id,
    "tags": lambda ticket, user: ticket.tags,
    "mark": lambda ticket, user: ticket.mark or None,
    "due": lambda ticket, user: ticket.due_at.isoformat() if ticket.due_at else None,
    "snooze": lambda ticket, user: _snoozed(ticket),
    "follow": lambda ticket, user: ticket.followers.filter(user=user).exists(),
    "merge": lambda ticket, user: ticket.merged_into_id is not None,
}
