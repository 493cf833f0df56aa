"""Owing a mail to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from messaging.email.addresses import message_id, reply_address
from messaging.email.deliver import deliver_mail
from messaging.email.parse import one_line
from messaging.models import Mailbox, OutgoingMail
from people.brand import brand
from tickets import clock
from tickets.models import Conversation, Message, Ticket
from tickets.owed import hurry
from tickets.recipients import Recipients

#: What an action under another clock (an import, the demo) owes is left to the sweep.
_PRESENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who of us speaks in a conversation: a mailbox with the address that the customer wrote to, or
    the company itself."""

    mailbox: Mailbox | None = None
    address: str = ""

    @property
    def name(self) -> str:
        return (self.mailbox.shown_name if self.mailbox else "") or brand().name


def queue_mail(
    *,
    purpose: OutgoingMail.Purpose,
    to_address: str,
    subject: str,
    text: str,
    html: str = "",
    to_name: str = "",
    recipients: Recipients | None = None,
    from_name: str = "",
    ticket: Ticket | None = None,
    message: Message | None = None,
    sender: Sender | None = None,
    reply_to: str = "",
    in_reply_to: str = "",
    references: str = "",
    unsubscribe_url: str = "",
    is_automatic: bool = True,
    is_sent_at_most_once: bool = False,
    rfc_message_id: str = "",
) -> OutgoingMail:
    """Owe a rendered mail; a task sends it soon after the commit, a sweep if no task does.

    Its Message-ID is made here and stays the same however often sending is tried. An answer to a
    mail about a ticket comes back to the ticket's newest conversation. `sender` is for whoever has
    looked up already who speaks there. Subject and names become one line each, so that no header
    can be smuggled in.
    """
    if ticket:
        conversation = message.conversation if message else ticket.newest_conversation
        sender = sender or sender_in(conversation, ticket)
        reply_to = reply_to or reply_address(conversation, base=sender.address)
    sender = sender or Sender()
    mail = OutgoingMail.objects.create(
        purpose=purpose,
        ticket=ticket,
        message=message,
        to_name=one_line(to_name, 160),
        to_address=to_address.strip(),
        recipients=dict(recipients or {}),
        from_name=one_line(from_name, 160) or sender.name,
        from_address=sender.address,
        mailbox=sender.mailbox,
        subject=one_line(subject, 400),
        text=f"{text.strip()}\n",
        html=html,
        reply_to=reply_to,
        rfc_message_id=rfc_message_id or message_id("x"),
        in_reply_to=in_reply_to,
        references=references,
        unsubscribe_url=unsubscribe_url,
        is_automatic=is_automatic,
        is_sent_at_most_once=is_sent_at_most_once,
        created_at=clock.now(),
        due_at=clock.now(),
    )
    if mail.due_at > timezone.now() - _PRESENT:
        hurry(deliver_mail, mail.pk)
    return mail


def sender_in(conversation: Conversation, ticket: Ticket) -> Sender:
    """Who speaks in a conversation: the mailbox or the company, as the customer wrote to it. Where
    they wrote to no address, the team's mailbox, which is then the conversation's; else the
    company."""
    if conversation.our_address:
        mailbox = Mailbox.objects.of(conversation.our_address)
        return Sender(mailbox, conversation.our_address) if mailbox else Sender()
    mailbox = Mailbox.objects.of_team(ticket.team)
    if mailbox is None:
        return Sender()
    Conversation.objects.filter(pk=conversation.pk).update(our_address=mailbox.address)
    return Sender(mailbox, mailbox.address)
