from __future__ import annotations

from datetime import timedelta
from typing import Final

from celery import shared_task
from django.utils import timezone

from messaging.models import OutgoingMail
from workspace.digests import people_to_mail, send_digest
from workspace.models import Notification
from workspace.notifying import tell_of_failure

#: What was read is kept for so long, and what nobody reads a little longer.
KEPT: Final = timedelta(days=60)
KEPT_UNREAD: Final = timedelta(days=180)


@shared_task
def sweep_digests() -> int:
    """Owe a digest to everybody whose hour has come; how many were owed now."""
    return sum(1 for pk in people_to_mail() if send_digest(pk))


@shared_task
def sweep_failed_mail() -> int:
    """Tell authors of what could not be sent since yesterday; each once."""
    failed = OutgoingMail.objects.failed_replies(since=timezone.now() - timedelta(days=1))
    return sum(len(tell_of_failure(mail)) for mail in failed)


@shared_task
def forget_old_notifications() -> int:
    """Take away what is long read."""
    return Notification.objects.older_than(read=KEPT, unread=KEPT_UNREAD).delete()[0]
