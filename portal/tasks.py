from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from portal.actions import send_login_link
from portal.models import LoginRequest
from tickets.owed import fulfil

BATCH = 200


@shared_task
def mail_login_link(pk: int) -> None:
    """Answer one request for a log-in link; safe to run twice and by two workers at once."""
    fulfil(LoginRequest, pk, send_login_link)


@shared_task
def sweep_login_requests() -> int:
    """Answer the requests that no task answered, and forget those that are past."""
    late = LoginRequest.objects.late(by=timedelta(seconds=10)).order_by("due_at")
    pks = list(late.values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        mail_login_link(pk)
    LoginRequest.objects.past().delete()
    return len(pks)
