"""The mail that tells a colleague of one thing at once, and that they can answer."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from messaging.email.addresses import Becomes, answer_address, message_id
from messaging.email.answers import can_be_taken, sentence
from messaging.email.words import Link, Shown, rendered, words_for
from messaging.models import MailKind, OutgoingMail, Suppression
from messaging.outbox import queue_mail, sender_in
from tickets.models import Conversation, Message, MessageKind
from workspace.models import Notification, NotificationKind
from workspace.notifications import words

#: An answer to these is the customer's; to everything else a note.
_OF_THE_CUSTOMER: Final = {NotificationKind.ASSIGNED, NotificationKind.CUSTOMER_REPLIED}
#: So much of what was written stands in the mail.
_SHOWN: Final = 10_000


def queue_notice(one: Notification) -> OutgoingMail | None:
    """Owe the mail of a notification that was just written; all of one ticket are one thread.

    Where nobody proves who sent a mail to us, no answer is ever taken: then it asks for none, and
    one comes back to whoever gives it.
    """
    user, ticket = one.user, one.ticket
    if Suppression.objects.holds(user.email):
        return None
    conversation = ticket.newest_conversation
    to = conversation.identity.value if conversation.identity else conversation.customer.email
    becomes = _becomes(one, to) if can_be_taken() and not ticket.is_closed else ""
    reply_to, sender = user.email, sender_in(conversation, ticket)
    if becomes:
        reply_to = answer_address(
            user,
            ticket,
            becomes=becomes,
            customer_pk=conversation.customer_id,
            base=sender.address,
        )
    thread = message_id("n", ticket.pk)
    with translation.override(user.language):
        message = _message(one, conversation)
        (item,) = words([one])
        said = rendered(
            words_for(MailKind.NOTIFICATION, sender.mailbox),
            {
                "news": item.text,
                "message": _shown(message) if message else None,
                "link": Link(f"{settings.BASE_URL}{item.url}"),
                "ticket.number": str(ticket.number),
                "ticket.subject": ticket.subject,
                "customer.name": conversation.customer.name,
                "agent.name": user.name,
                "agent.first_name": user.first_name,
                "company.name": sender.name,
            },
            template="workspace/mail/notice",
            context={
                "how": sentence(becomes, name=conversation.customer.name, address=to),
                "preferences_url": f"{settings.BASE_URL}{reverse('desk_preferences')}",
            },
        )
        return queue_mail(
            purpose=OutgoingMail.Purpose.NOTIFICATION,
            ticket=ticket,
            sender=sender,
            to_name=user.name,
            to_address=user.email,
            subject=f"#{ticket.number} {ticket.subject}",
            text=said.text,
            html=said.html,
            reply_to=reply_to,
            in_reply_to=thread,
            references=thread,
        )


def _becomes(one: Notification, to: str) -> Becomes:
    return "r" if to and one.kind in _OF_THE_CUSTOMER else "n"


def _message(one: Notification, conversation: Conversation) -> Message | None:
    """What was written, or of a ticket that is given to somebody what its customer wrote last."""
    if one.event and one.event.message:
        return one.event.message
    if one.kind != NotificationKind.ASSIGNED:
        return None
    theirs = conversation.messages.filter(kind=MessageKind.INBOUND)
    return theirs.order_by("-occurred_at", "-pk").first()


def _shown(message: Message) -> Shown:
    """What was written, as it was typed, with the names of its files."""
    context = {
        "text": message.text.strip()[:_SHOWN],
        "author": message.author_name,
        "files": [file.name for file in message.attachments.all()],
    }
    return Shown(
        html=render_to_string("workspace/mail/notice_message.html", context),
        text=render_to_string("workspace/mail/notice_message.txt", context).strip(),
    )
