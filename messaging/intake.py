"""The one door through which every channel's messages come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from messaging.models import AcceptedKey
from people.actions import introduce, recognise
from people.models import Identity, Team
from tickets.actions import MessageDraft, open_ticket, receive_reply
from tickets.actions.fields import set_fields
from tickets.actor import Actor
from tickets.models import Category, Channel, Conversation, Message, Ticket
from triage.actions import triage_ticket
from triage.language import detect


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """What an adapter knows of a message from outside.

    `conversation` says what it continues; without one it opens a ticket. `is_by_another` says that
    it continues it as somebody who was copied, and not as its customer. `language` is what the
    channel knows (the form's page); without it the text tells. `fields` are values of the company's
    own fields for the ticket that is opened. `dedupe_key` names the message in its channel: the
    same key again is the same message.
    """

    channel: Channel
    email: str
    draft: MessageDraft
    name: str = ""
    subject: str = ""
    language: str = ""
    category: Category | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    conversation: Conversation | None = None
    is_by_another: bool = False
    dedupe_key: str = ""
    #: The address of ours that it was written to, and whose queue that address is.
    our_address: str = ""
    team: Team | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of it. `is_new_ticket` also for a follow-up."""

    ticket: Ticket
    message: Message
    is_new_ticket: bool
    is_duplicate: bool = False


@transaction.atomic
def accept(incoming: IncomingMessage) -> Accepted:
    """Recognise the customer, open or continue a ticket, and triage it: all or nothing.

    Raises `EmptyMessage`, or `FieldsAreWrong`.
    """
    key, earlier = claim_key(incoming.dedupe_key)
    if earlier:
        return Accepted(earlier.ticket, earlier, is_new_ticket=False, is_duplicate=True)
    if incoming.conversation:
        accepted = _continue(incoming, incoming.conversation)
    else:
        accepted = _open(incoming)
    if key:
        key.message = accepted.message
        key.save(update_fields=["message"])
    return accepted


def _open(incoming: IncomingMessage) -> Accepted:
    identity = Identity.objects.of_sender(incoming.email)
    language = incoming.language or _language_of(incoming, identity)
    if identity is None:
        identity = introduce(email=incoming.email, name=incoming.name, language=language)
    customer = identity.customer
    ticket = open_ticket(
        customer=customer,
        subject=incoming.subject,
        channel=incoming.channel,
        draft=incoming.draft,
        actor=Actor.customer(customer),
        identity=identity,
        language=language,
        our_address=incoming.our_address,
    )
    if incoming.fields:
        ticket = set_fields(ticket, to=incoming.fields, actor=Actor.customer(customer))
    ticket = _triage(ticket, incoming)
    return Accepted(ticket, ticket.messages.get(), is_new_ticket=True)


def _language_of(incoming: IncomingMessage, known: Identity | None) -> str:
    """The language of the message; where it does not tell, the customer's, else the company's."""
    return detect(
        f"{incoming.subject}\n{incoming.draft.text}",
        hint=known.customer.language if known else settings.LANGUAGE_CODE,
    )


def _continue(incoming: IncomingMessage, conversation: Conversation) -> Accepted:
    author = conversation.customer
    if incoming.is_by_another:
        author = recognise(email=incoming.email, name=incoming.name)
    actor = Actor.customer(author)
    message = receive_reply(conversation, draft=incoming.draft, actor=actor)
    is_follow_up = message.ticket_id != conversation.ticket_id
    ticket = _triage(message.ticket, incoming) if is_follow_up else message.ticket
    return Accepted(ticket, message, is_new_ticket=is_follow_up)


def _triage(ticket: Ticket, incoming: IncomingMessage) -> Ticket:
    return triage_ticket(
        ticket,
        text=incoming.draft.text,
        subject=incoming.subject,
        sender=incoming.email,
        language=ticket.language,
        chosen=incoming.category,
        written_to=(incoming.team, incoming.our_address) if incoming.team else None,
    )


def claim_key(key: str) -> tuple[AcceptedKey | None, Message | None]:
    """Our row for this key, or the message that came with it before; two deliveries at once wait
    for one another on the unique index."""
    if not key:
        return None, None
    try:
        with transaction.atomic():
            return AcceptedKey.objects.create(key=key), None
    except IntegrityError:
        return None, AcceptedKey.objects.select_related("message__ticket").get(key=key).message
