"""What our mails about a ticket say, in the customer's language."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from messaging.email.addresses import content_id, message_id
from messaging.email.words import Link, Shown, rendered, words_for
from messaging.models import MailKind, OutgoingMail
from messaging.outbox import Sender, queue_mail, sender_in
from tickets.models import Conversation, Message, Ticket
from tickets.recipients import Recipients
from tickets.sanitise import clean_html, html_to_text, with_inline_images, without_images

MAX_REFERENCES: Final = 20
QUOTED_CHARACTERS: Final = 4_000


def queue_reply(
    message: Message, *, to_name: str, to_address: str, recipients: Recipients
) -> OutgoingMail:
    """Owe the customer what a colleague wrote, in the customer's language, with the customer's
    last message quoted beneath.

    The private link is for the customer alone: a mail that others get too does not have it.
    """
    ticket, conversation = message.ticket, message.conversation
    # Where a merge brought it from, as far as the customer knows.
    home = conversation.begun_in
    earlier = _public_ids(conversation, before=message)
    rfc_message_id = message_id("m", message.pk)
    sender = sender_in(conversation, ticket)
    customer, author = conversation.customer.name, message.author_user
    is_theirs_alone = not recipients and home.customer_id == conversation.customer_id
    with translation.override(ticket.language):
        words = rendered(
            words_for(MailKind.REPLY, sender.mailbox),
            {
                "reply": _reply(message),
                "customer.name": customer,
                "customer.first_name": customer.split(" ")[0],
                "ticket.number": str(home.number),
                "ticket.subject": home.subject,
                "agent.name": author.name if author else "",
                "agent.first_name": author.first_name if author else "",
                "link": _private_link(home) if is_theirs_alone else None,
                "company.name": sender.name,
            },
            template="messaging/mail/reply",
            context={"quote": _quote(conversation, before=message) if message.quotes else None},
        )
        mail = queue_mail(
            purpose=OutgoingMail.Purpose.REPLY,
            ticket=ticket,
            message=message,
            sender=sender,
            to_name=to_name,
            to_address=to_address,
            recipients=recipients,
            from_name=_sender_name(message, sender),
            subject=home.subject if _is_first(message) else _answer_to(home.subject),
            text=words.text,
            html=words.html,
            in_reply_to=earlier[-1] if earlier else "",
            references=" ".join(earlier),
            is_automatic=False,
            rfc_message_id=rfc_message_id,
        )
    Message.objects.filter(pk=message.pk).update(rfc_message_id=rfc_message_id)
    return mail


def queue_forward(
    message: Message, forwarded: Message, *, to_address: str, recipients: Recipients
) -> OutgoingMail:
    """Owe the named addresses what a colleague passes on, in the language of the ticket. It has no
    private link and answers no mail of the customer's thread."""
    ticket = message.ticket
    sender = sender_in(message.conversation, ticket)
    with translation.override(ticket.language):
        context = {
            "company_name": sender.name,
            "language": translation.get_language(),
            "text": message.text.strip(),
            "html": _shown(message),
            "signature": _signature(message),
            "forwarded": {
                "author": forwarded.author_name,
                "at": forwarded.occurred_at,
                "subject": ticket.subject,
                "text": forwarded.text.strip(),
                "html": _shown(forwarded),
            },
        }
        return queue_mail(
            purpose=OutgoingMail.Purpose.FORWARD,
            ticket=ticket,
            message=message,
            sender=sender,
            to_address=to_address,
            recipients=recipients,
            from_name=_sender_name(message, sender),
            subject=_forward_of(ticket.subject),
            text=render_to_string("messaging/mail/forward.txt", context),
            html=render_to_string("messaging/mail/forward.html", context),
            is_automatic=False,
        )


def queue_acknowledgement(message: Message, *, to_address: str) -> OutgoingMail:
    """Owe whoever wrote the number of their request and its private link.

    It repeats nothing of what was sent in, not even the name: whoever types a victim's address
    into the form must not be able to say anything through us.
    """
    ticket = message.ticket
    answered = message.rfc_message_id
    sender = sender_in(message.conversation, ticket)
    with translation.override(ticket.language):
        words = rendered(
            words_for(MailKind.ACKNOWLEDGEMENT, sender.mailbox),
            {
                "ticket.number": str(ticket.number),
                "link": _private_link(ticket),
                "company.name": sender.name,
            },
        )
        return queue_mail(
            purpose=OutgoingMail.Purpose.ACKNOWLEDGEMENT,
            ticket=ticket,
            message=message,
            sender=sender,
            to_address=to_address,
            subject=words.subject,
            text=words.text,
            html=words.html,
            in_reply_to=answered,
            references=answered,
            rfc_message_id=message_id("t", ticket.pk),
        )


def _shown(message: Message) -> SafeString:
    """The message's HTML for a mail: cleaned once more on its way out, with its pictures."""
    pictures = {
        file.content_id: f"cid:{content_id(file)}"
        for file in message.attachments.all()
        if file.content_id and file.content_type.startswith("image/")
    }
    html = with_inline_images(clean_html(message.html), pictures)
    return mark_safe(without_images(html))  # noqa: S308 - cleaned just here


def _signature(message: Message) -> dict[str, Any] | None:
    """What stands below: the author's signature, or their team's."""
    author, team = message.author_user, message.ticket.team
    html = clean_html((author.signature if author else "") or (team.signature if team else ""))
    return {"html": mark_safe(html), "text": html_to_text(html)} if html else None  # noqa: S308 - cleaned just here


def _reply(message: Message) -> Shown:
    """What a colleague wrote, with their signature below."""
    signature = _signature(message)
    html, text = _shown(message), message.text.strip()
    if signature is None:
        return Shown(html, text)
    below = format_html('<div style="margin:20px 0 0">{}</div>', signature["html"])
    return Shown(html + below, f"{text}\n\n-- \n{signature['text']}")


def _private_link(ticket: Ticket) -> Link:
    return Link(f"{settings.BASE_URL}{reverse('portal_request', args=[ticket.access_key])}")


def _quote(conversation: Conversation, *, before: Message) -> dict[str, Any] | None:
    """The customer's last message before this one, cleaned once more on its way out."""
    last = conversation.messages.newest_inbound().filter(pk__lt=before.pk).first()
    if last is None or not last.text.strip():
        return None
    text = last.text.strip()
    is_whole = len(text) <= QUOTED_CHARACTERS and len(last.html) <= 5 * QUOTED_CHARACTERS
    text = text if is_whole else f"{text[:QUOTED_CHARACTERS].rstrip()} …"
    html = without_images(clean_html(last.html)) if is_whole else ""
    return {
        "at": last.occurred_at,
        "author": last.author_name,
        "text": "\n".join(f"> {line}".rstrip() for line in text.split("\n")),
        "html": mark_safe(html),  # noqa: S308 - cleaned just here
        "plain": text,
    }


def _public_ids(conversation: Conversation, *, before: Message) -> list[str]:
    """The message ids that the customer has seen in this conversation, oldest first."""
    ids = list(
        conversation.messages.public()
        .filter(pk__lt=before.pk)
        .exclude(rfc_message_id="")
        .order_by("pk")
        .values_list("rfc_message_id", flat=True)
    )
    acknowledgement = OutgoingMail.objects.filter(
        ticket=conversation.begun_in, purpose=OutgoingMail.Purpose.ACKNOWLEDGEMENT
    ).first()
    if acknowledgement:
        ids.insert(1, acknowledgement.rfc_message_id)
    # The first one names the thread, the newest ones its end.
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]


def _sender_name(message: Message, sender: Sender) -> str:
    if message.author_user is None:
        return sender.name
    return _("%(name)s at %(company)s") % {
        "name": message.author_user.first_name,
        "company": sender.name,
    }


def _is_first(message: Message) -> bool:
    """Whether nobody has written in the conversation before: we write first, and answer nothing."""
    earlier = message.conversation.messages.public().filter(pk__lt=message.pk)
    return not earlier.exists()


def _answer_to(subject: str) -> str:
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def _forward_of(subject: str) -> str:
    return subject if subject[:4].lower() in ("fwd:", "fw: ") else f"Fwd: {subject}"
