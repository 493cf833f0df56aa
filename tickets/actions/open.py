from __future__ import annotations

from django.conf import settings
from django.db import transaction

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
) -> Ticket:
    """Open a ticket with its first conversation and message.

    The message is the customer's when `actor` is the customer, else ours to the customer. A
    follow-up begins with the category, priority, type and team of the ticket that it follows.
    Raises `EmptyMessage`.
    """
    now = clock.now()
    ticket = Ticket(
        customer=customer,
        subject=one_line(subject, limit=300) or _first_words(draft.text),
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
    if follow_up_of:
        # Its own history grows too, with what it is like now.
        follow_up_of = Ticket.objects.locked().get(pk=follow_up_of.pk)
        ticket.category = follow_up_of.category
        ticket.priority = follow_up_of.priority
        ticket.type = follow_up_of.type
        ticket.team = follow_up_of.team
    ticket.save()
    conversation = Conversation.objects.create(
        ticket=ticket, customer=customer, channel=channel, identity=identity, created_at=now
    )
    if follow_up_of:
        history.record(ticket, Kind.OPENED, actor=actor, follow_up_of=follow_up_of.number)
        history.record(follow_up_of, Kind.FOLLOWED_UP, actor=actor, by=ticket.number)
    else:
        history.record(ticket, Kind.OPENED, actor=actor)
    kind = MessageKind.INBOUND if actor.as_customer else MessageKind.OUTBOUND
    store_message(ticket, conversation, kind, draft, actor=actor)
    return ticket


def _first_words(text: str) -> str:
    return one_line(text, limit=80) or settings.COMPANY_NAME
