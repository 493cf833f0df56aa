from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from people.models.names import one_line
from tickets import clock, history
from tickets.actions.assign import assign_ticket, may_hold
from tickets.actions.open import begin_ticket
from tickets.actions.status import change_status
from tickets.actions.summary import FIELDS, tell_again
from tickets.actions.versions import TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.models import (
    Call,
    Channel,
    Conversation,
    Kind,
    LinkKind,
    Message,
    Status,
    StatusCategory,
    Ticket,
    TicketLink,
)


class NothingToSplit(TicketRefusal):
    """At least one of the ticket's messages goes, and at least one stays."""


class SeveralCustomers(TicketRefusal):
    """What goes into one new ticket is of one customer."""


@transaction.atomic
def split_messages(
    ticket: Ticket,
    *,
    messages: Collection[Message],
    actor: Actor,
    subject: str = "",
    seen: int | None = None,
) -> Ticket:
    """Move some messages, with their files, into a new ticket of their customer; it begins with
    the category, priority, type, team and assignee of this one.

    A conversation that goes whole keeps its reply address; of one that goes in part a new one goes
    on in the new ticket. Raises `TicketIsClosed`, `TicketHasChanged`, `NothingToSplit` or
    `SeveralCustomers`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    chosen = list(
        Message.objects.filter(ticket=ticket, pk__in=[message.pk for message in messages])
        .select_related("conversation__customer")
        .order_by("occurred_at", "pk")
    )
    if not chosen or Message.objects.filter(ticket=ticket).count() == len(chosen):
        raise NothingToSplit(ticket)
    first = chosen[0].conversation
    if {message.conversation.customer_id for message in chosen} != {first.customer_id}:
        raise SeveralCustomers(ticket)
    left = Message.objects.filter(ticket=ticket).exclude(pk__in=[message.pk for message in chosen])
    if not left.filter(conversation__customer=ticket.customer_id).exists():
        raise NothingToSplit(ticket)
    new = begin_ticket(
        customer=first.customer,
        subject=one_line(subject, limit=300) or ticket.subject,
        channel=Channel(first.channel),
        actor=actor,
        language=ticket.language,
        like=ticket,
        told={"split_from": ticket.number},
    )
    for conversation in dict.fromkeys(message.conversation for message in chosen):
        _move(conversation, [m for m in chosen if m.conversation_id == conversation.pk], new)
    for one in (new, ticket):
        tell_again(one)
        one.save_change(*FIELDS)
    history.record(
        ticket,
        Kind.SPLIT,
        actor=actor,
        into=new.number,
        messages=[message.pk for message in chosen],
        is_waiting=ticket.waiting_since is not None,
    )
    history.record(
        new,
        Kind.SPLIT,
        actor=actor,
        out_of=ticket.number,
        messages=[message.pk for message in chosen],
        is_waiting=new.waiting_since is not None,
    )
    TicketLink.objects.create(
        ticket=new, other=ticket, kind=LinkKind.RELATED, created_by=actor.as_user
    )
    if ticket.assignee and may_hold(ticket.assignee, new.team):
        new = assign_ticket(new, to=ticket.assignee, actor=actor)
        change_status(new, to=Status.objects.default_for(StatusCategory.OPEN), actor=actor)
    return new


def _move(conversation: Conversation, messages: list[Message], new: Ticket) -> None:
    """The conversation itself where all of it goes, else a new one beside it."""
    wanted = [message.pk for message in messages]
    if not conversation.messages.exclude(pk__in=wanted).exists():
        Conversation.objects.filter(pk=conversation.pk).update(ticket=new)
        return
    goes_on = Conversation.objects.create(
        ticket=new,
        customer=conversation.customer,
        channel=conversation.channel,
        identity=conversation.identity,
        our_address=conversation.our_address,
        created_at=clock.now(),
    )
    Message.objects.filter(pk__in=wanted).update(conversation=goes_on, ticket=new)
    Call.objects.filter(message__in=wanted).update(conversation=goes_on)
