"""A ticket as its customer may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from people.brand import brand
from tickets.models import Attachment, Conversation, Message, MessageKind, Ticket
from tickets.models.conversations import ConversationQuerySet
from tickets.sanitise import text_to_html, with_inline_images

# Pictures that every browser draws and none runs.
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


@dataclass(frozen=True, slots=True)
class ShownFile:
    name: str
    size: int
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A public message. Of a colleague only the first name is told, and of the customer nothing:
    the link may be in the hands of somebody who wrote in their name."""

    number: int
    is_from_customer: bool
    name: str
    html: SafeString
    quoted: SafeString
    is_automatic: bool
    at: datetime
    files: Sequence[ShownFile]


def readable(ticket: Ticket, *, is_their_own: bool) -> ConversationQuerySet:
    """The conversations that stand on the ticket's page: to the holder of its link those that were
    begun in it, to its customer, once we know that it is they, all of theirs."""
    if is_their_own:
        there = ticket.carried_on_in
        return Conversation.objects.filter(ticket=there, customer=ticket.customer_id)
    return Conversation.objects.behind_link_of(ticket)


def thread_of(ticket: Ticket, conversations: ConversationQuerySet) -> list[ShownMessage]:
    """The public messages of its conversations in order."""
    public = Message.objects.public().filter(conversation__in=conversations)
    messages = public.for_timeline().defer("html_raw")
    return [_shown(ticket, message, number) for number, message in enumerate(messages, start=1)]


def _shown(ticket: Ticket, message: Message, number: int) -> ShownMessage:
    files = [(attachment, _file(ticket, attachment)) for attachment in message.attachments.all()]
    drawn = {
        attachment.content_id: file.url
        for attachment, file in files
        if attachment.content_id and attachment.content_type in _PICTURES
    }
    is_from_customer = message.kind == MessageKind.INBOUND
    return ShownMessage(
        number=number,
        is_from_customer=is_from_customer,
        name=_("You") if is_from_customer else _colleague(message),
        # Cleaned when it was stored.
        html=mark_safe(with_inline_images(message.html, drawn)),  # noqa: S308
        quoted=mark_safe(text_to_html(message.quoted_text)),  # noqa: S308
        is_automatic=message.is_automatic,
        at=message.occurred_at,
        files=[
            file
            for attachment, file in files
            if not (attachment.is_inline and attachment.content_id in drawn)
        ],
    )


def _colleague(message: Message) -> str:
    return message.author_user.first_name if message.author_user else brand().name


def _file(ticket: Ticket, attachment: Attachment) -> ShownFile:
    return ShownFile(
        name=attachment.name,
        size=attachment.size,
        content_type=attachment.content_type,
        url=reverse("portal_file", args=[ticket.access_key, attachment.key]),
    )
