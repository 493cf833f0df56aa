from __future__ import annotations

from celery import shared_task

from surveys.actions import send_survey
from surveys.models import Survey
from tickets.owed import fulfil

BATCH = 200


@shared_task
def mail_survey(pk: int) -> None:
    """Send one survey's invitation when it is due; safe to run twice and by two workers at once."""
    fulfil(Survey, pk, send_survey)


@shared_task
def sweep_surveys() -> int:
    """Send what is due: surveys wait for their hour here, not in Redis."""
    due = list(Survey.objects.due().order_by("due_at").values_list("pk", flat=True)[:BATCH])
    for pk in due:
        mail_survey(pk)
    return len(due)
