from __future__ import annotations

from django.db import transaction

from messaging.models import OutgoingMail
from messaging.tasks import deliver_mail


@transaction.atomic
def retry_mail(mail: OutgoingMail) -> OutgoingMail:
    """Try at once to send a mail that failed; one that was sent stays sent."""
    mail = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    if not mail.is_done:
        mail.owe_again()
        deliver_mail.delay_on_commit(mail.pk)  # type: ignore[attr-defined]
    return mail
