from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from metrics.actions import replace_facts
from metrics.models import StaleFacts
from tickets.owed import fulfil
from triage.calendars import TeamCalendars

# A task usually folds within a second; what is older was missed.
LATE = timedelta(seconds=20)
AT_ONCE = 500


@shared_task
def refold_ticket(pk: int) -> None:
    """Fold one ticket whose history grew; `pk` is that of its `StaleFacts`."""
    _refold(pk)


@shared_task
def sweep_stale_facts() -> None:
    """Fold what no task did."""
    late = StaleFacts.objects.late(by=LATE).order_by("due_at").values_list("pk", flat=True)
    for pk in late[:AT_ONCE]:
        _refold(pk)


def _refold(pk: int) -> bool:
    return fulfil(
        StaleFacts,
        pk,
        lambda row: replace_facts([row.ticket_id], calendars=TeamCalendars.load()),
    )
