from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog
from celery import shared_task

from messaging.email import receive
from messaging.email.deliver import deliver_mail
from messaging.email.receive import read_mail
from messaging.models import InboundMail, OutgoingMail

__all__ = ["deliver_mail", "read_mail", "sweep_inbound_mail", "sweep_outgoing_mail"]

log = structlog.get_logger(__name__)

#: A row that is due for longer has been forgotten by its task, or waits for its next try.
LATE: Final = timedelta(seconds=20)
#: What one sweep takes on; the next one comes soon.
AT_ONCE: Final = 500


@shared_task
def sweep_outgoing_mail() -> None:
    """Hurry every mail that no task has sent."""
    late = OutgoingMail.objects.late(by=LATE).order_by("due_at")
    for pk in late.values_list("pk", flat=True)[:AT_ONCE]:
        deliver_mail.delay(pk)


@shared_task
def sweep_inbound_mail() -> None:
    """Finish every mail that was kept and not read, be it that a process died in between."""
    late = InboundMail.objects.late(by=LATE).order_by("due_at")
    for pk in late.values_list("pk", flat=True)[:AT_ONCE]:
        try:
            receive.settle(pk)
        except Exception:
            # Whatever is wrong with one mail, the next one is not to blame.
            log.exception("inbound_mail_not_settled", pk=pk)
