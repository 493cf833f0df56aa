"""Owing a mail to somebody."""

from __future__ import annotations

import secrets

from django.conf import settings

from messaging.models import OutgoingMail
from tickets import clock
from tickets.models import Message, Ticket


def queue_mail(
    *,
    purpose: OutgoingMail.Purpose,
    to_address: str,
    subject: str,
    text: str,
    html: str = "",
    to_name: str = "",
    from_name: str = "",
    ticket: Ticket | None = None,
    message: Message | None = None,
    reply_to: str = "",
    in_reply_to: str = "",
    references: str = "",
    is_automatic: bool = True,
    is_sent_at_most_once: bool = False,
) -> OutgoingMail:
    """Owe a rendered mail; a task sends it soon after the commit, a sweep if no task does.

    Its Message-ID is made here and stays the same however often sending is tried.
    """
    from messaging.tasks import deliver_mail

    mail = OutgoingMail.objects.create(
        purpose=purpose,
        ticket=ticket,
        message=message,
        to_name=to_name,
        to_address=to_address,
        from_name=from_name or settings.COMPANY_NAME,
        subject=subject,
        text=text,
        html=html,
        reply_to=reply_to,
        rfc_message_id=new_message_id(),
        in_reply_to=in_reply_to,
        references=references,
        is_automatic=is_automatic,
        is_sent_at_most_once=is_sent_at_most_once,
        created_at=clock.now(),
        due_at=clock.now(),
    )
    deliver_mail.delay_on_commit(mail.pk)
    return mail


def new_message_id() -> str:
    """A Message-ID that nobody can guess: knowing it proves having received our mail."""
    domain = settings.SUPPORT_ADDRESS.rpartition("@")[2]
    return f"<{secrets.token_urlsafe(24)}@{domain}>"
