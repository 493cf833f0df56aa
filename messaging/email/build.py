"""How a row becomes the mail that goes over the wire."""

from __future__ import annotations

from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from messaging.email.parse import one_line
from messaging.models import OutgoingMail


def build(mail: OutgoingMail) -> EmailMultiAlternatives:
    """The mail as it is handed to the server; the same every time that it is tried."""
    headers = {"Message-ID": mail.rfc_message_id}
    if mail.in_reply_to:
        headers["In-Reply-To"] = mail.in_reply_to
    if mail.references:
        headers["References"] = mail.references
    if mail.is_automatic:
        is_answer = mail.purpose == OutgoingMail.Purpose.ACKNOWLEDGEMENT
        headers["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"
        headers["X-Auto-Response-Suppress"] = "All"
    email = EmailMultiAlternatives(
        subject=one_line(mail.subject, 400),
        body=mail.text,
        from_email=_mailbox(mail.from_name, settings.SUPPORT_ADDRESS),
        to=[_mailbox(mail.to_name, mail.to_address)],
        reply_to=[_mailbox(mail.from_name, mail.reply_to)] if mail.reply_to else None,
        headers=headers,
    )
    if mail.html:
        email.attach_alternative(mail.html, "text/html")
    if mail.purpose == OutgoingMail.Purpose.REPLY and mail.message:
        for attachment in mail.message.attachments.all():
            with attachment.file.open("rb") as content:
                email.attach(attachment.name, content.read(), attachment.content_type)
    return email


def _mailbox(name: str, address: str) -> str:
    name, address = one_line(name, 160), one_line(address, 320)
    return formataddr((name, address)) if name else address
