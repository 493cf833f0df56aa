"""Asking for one change to many tickets, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Value
from django.utils import timezone

from people.models import User
from tickets.models.tickets import TicketQuerySet
from tickets.owed import hurry
from workspace import bulk
from workspace.models import BulkChange, BulkItem

#: More at once is no slip of the hand but a migration.
MOST = 100_000
UNDO_WITHIN = timedelta(seconds=10)
#: What a click takes to reach us.
_GRACE = timedelta(seconds=3)


class NothingChosen(Exception):
    """No ticket, or no change."""


class TooMany(Exception):
    """More tickets than one change takes."""


class TooLateToUndo(Exception):
    """A bulk change is taken back within seconds; later, somebody may rely on it."""


@transaction.atomic
def start_bulk_change(
    tickets: TicketQuerySet, *, changes: Sequence[dict[str, Any]], user: User
) -> BulkChange:
    """Owe these changes to every one of the tickets; a worker makes them soon.

    Raises `NothingChosen` or `TooMany`.
    """
    if not changes:
        raise NothingChosen
    change = BulkChange.objects.create(user=user, changes=list(changes))
    rows = tickets.order_by("pk").annotate(change_=Value(change.pk)).values("change_", "pk")
    sql, params = rows[: MOST + 1].query.sql_with_params()
    table = connection.ops.quote_name(BulkItem._meta.db_table)
    with connection.cursor() as cursor:
        # One statement, so that a view of any length is taken as it is now.
        cursor.execute(
            f"INSERT INTO {table} (change_id, ticket_id, outcome, before) "  # noqa: S608
            f"SELECT chosen.change_, chosen.id, '', '{{}}' "
            f"FROM ({sql}) AS chosen (change_, id)",
            params,
        )
        change.total = cursor.rowcount
    if change.total == 0:
        raise NothingChosen
    if change.total > MOST:
        raise TooMany
    change.save(update_fields=["total"])
    hurry(bulk.run_bulk_change, change.pk)
    return change


@transaction.atomic
def undo_bulk_change(change: BulkChange, *, actor: User) -> BulkChange:
    """Take back what was changed of the tickets that nobody has changed since; what was not done
    yet is not done. Asking twice is asking once. Raises `TooLateToUndo`."""
    change = BulkChange.objects.select_for_update().of(actor).get(pk=change.pk)
    if change.undone_at:
        return change
    if not may_undo(change):
        raise TooLateToUndo
    now = timezone.now()
    BulkItem.objects.filter(change=change, outcome="").update(outcome=bulk.STOPPED)
    change.undone_at, change.done_at, change.due_at = now, None, now
    change.save(update_fields=["undone_at", "done_at", "due_at"])
    hurry(bulk.run_bulk_change, change.pk)
    return change


def may_undo(change: BulkChange) -> bool:
    if change.undone_at:
        return False
    return change.done_at is None or timezone.now() <= change.done_at + UNDO_WITHIN + _GRACE
