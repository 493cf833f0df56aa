from __future__ import annotations

from typing import Any

from django.db import transaction

from people.brand import brand
from people.models import Customer, Identity
from people.models.names import one_line
from tickets import clock, history
from tickets.actions.store import store_message
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.models import (
    Channel,
    Conversation,
    Kind,
    MessageKind,
    Status,
    StatusCategory,
    Ticket,
    TicketType,
)


@transaction.atomic
def open_ticket(
    *,
    customer: Customer,
    subject: str,
    channel: Channel,
    draft: MessageDraft,
    actor: Actor,
    identity: Identity | None = None,
    language: str = "",
    type: TicketType = TicketType.QUESTION,
    follow_up_of: Ticket | None = None,
    our_address: str = "",
) -> Ticket:
    """Open a ticket with its first conversation and message.

    The message is the customer's when `actor` is the customer, else ours to the customer. A
    follow-up begins with the category, priority, type and team of the ticket that it follows. For a
    customer whose record was merged into another, it is the other's. Raises `EmptyMessage`.
    """
    if follow_up_of:
        # Its own history grows too, with what it is like now.
        follow_up_of = Ticket.objects.locked().get(pk=follow_up_of.pk)
    ticket = begin_ticket(
        customer=customer,
        subject=one_line(subject, limit=300) or _first_words(draft.text),
        channel=channel,
        actor=actor,
        language=language,
        type=type,
        like=follow_up_of,
        follow_up_of=follow_up_of,
        told={"follow_up_of": follow_up_of.number} if follow_up_of else None,
    )
    conversation = Conversation.objects.create(
        ticket=ticket,
        customer=ticket.customer,
        channel=channel,
        identity=identity,
        our_address=our_address,
        created_at=ticket.created_at,
    )
    if follow_up_of:
        history.record(follow_up_of, Kind.FOLLOWED_UP, actor=actor, by=ticket.number)
    kind = MessageKind.INBOUND if actor.as_customer else MessageKind.OUTBOUND
    store_message(ticket, conversation, kind, draft, actor=actor)
    return ticket


def begin_ticket(
    *,
    customer: Customer,
    subject: str,
    channel: Channel,
    actor: Actor,
    language: str = "",
    type: TicketType = TicketType.QUESTION,
    like: Ticket | None = None,
    follow_up_of: Ticket | None = None,
    told: dict[str, Any] | None = None,
) -> Ticket:
    """A new ticket before its first conversation, which the caller gives it in the same
    transaction. It begins with the category, priority, type and team of the ticket that it is
    `like`; `told` is what its first event says beside that."""
    now = clock.now()
    customer = Customer.objects.held(customer)
    ticket = Ticket(
        customer=customer,
        subject=subject,
        status=Status.objects.default_for(StatusCategory.NEW),
        status_category=StatusCategory.NEW,
        channel=channel,
        language=language or customer.language,
        type=type,
        follow_up_of=follow_up_of,
        created_at=now,
        updated_at=now,
        last_message_at=now,
    )
    if like:
        ticket.category = like.category
        ticket.priority = like.priority
        ticket.type = like.type
        ticket.team = like.team
    ticket.save()
    history.record(ticket, Kind.OPENED, actor=actor, **(told or {}))
    return ticket


def _first_words(text: str) -> str:
    return one_line(text, limit=80) or brand().name
