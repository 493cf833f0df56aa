from __future__ import annotations

from dataclasses import replace

from django.db import transaction

from people.models import User
from tickets import clock
from tickets.actions.assign import assign_ticket, may_hold
from tickets.actions.open import open_ticket
from tickets.actions.snooze import wake
from tickets.actions.status import change_status, check_choosable
from tickets.actions.store import store_message
from tickets.actions.versions import TicketIsMerged, TicketRefusal, locked_for_change
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.models import (
    Channel,
    Conversation,
    Message,
    MessageKind,
    Status,
    StatusCategory,
    Ticket,
)


class NobodyIsNamed(TicketRefusal):
    """A forward, or the answer to a customer without an address, needs a recipient."""


class ForwardedIsGone(TicketRefusal):
    """What a forward passes on is a public message of its ticket; it may have been split away."""


@transaction.atomic
def receive_reply(conversation: Conversation, *, draft: MessageDraft, actor: Actor) -> Message:
    """Add what the customer wrote back.

    A reply to a solved ticket reopens it within the reopening time; later, or when it is closed,
    the reply opens a follow-up (the returned message's ticket). Automatic mail reopens nothing.
    Raises `EmptyMessage`.
    """
    ticket = _locked_ticket_of(conversation)
    if not ticket.takes_replies_at(clock.now()) and not draft.is_automatic:
        return _open_follow_up(ticket, conversation, draft=draft, actor=actor).messages.get()
    message = store_message(ticket, conversation, MessageKind.INBOUND, draft, actor=actor)
    if not draft.is_automatic and ticket.status_category in (
        StatusCategory.SOLVED,
        StatusCategory.PENDING,
    ):
        change_status(
            ticket,
            to=Status.objects.default_for(StatusCategory.OPEN),
            actor=actor,
            reason=[{"code": "customer_replied"}],
        )
    if ticket.is_snoozed and not draft.is_automatic:
        wake(ticket, actor=actor)
    return message


def _locked_ticket_of(conversation: Conversation) -> Ticket:
    """The conversation's ticket, locked: the other one where a merge or a split moved the
    conversation while we waited for the lock."""
    while True:
        ticket = Ticket.objects.locked().get(pk=conversation.ticket_id)
        conversation.refresh_from_db(fields=["ticket"])
        if conversation.ticket_id == ticket.pk:
            return ticket


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    draft: MessageDraft,
    author: User,
    then: Status | None = None,
    seen: int | None = None,
    conversation: Conversation | None = None,
) -> Message:
    """Answer the customer in this conversation of the ticket, by default its newest, and set the
    status afterwards.

    An unassigned ticket becomes the author's when they may hold it, and a new one becomes open.
    Raises `TicketIsClosed`, `TicketHasChanged`, `EmptyMessage`, or `StatusIsLeftToTime` for a
    `then` in `closed`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if then:
        check_choosable(ticket, then)
    actor = Actor.user(author)
    conversation = conversation or ticket.newest_conversation
    message = store_message(ticket, conversation, MessageKind.OUTBOUND, draft, actor=actor)
    if ticket.assignee_id is None and may_hold(author, ticket.team):
        ticket = assign_ticket(ticket, to=author, actor=actor, reason=[{"code": "answered"}])
    if then is None and ticket.status_category == StatusCategory.NEW:
        then = Status.objects.default_for(StatusCategory.OPEN)
    if then:
        change_status(ticket, to=then, actor=actor)
    return message


@transaction.atomic
def forward(
    ticket: Ticket,
    *,
    draft: MessageDraft,
    forwards: Message,
    author: User,
    then: Status | None = None,
    seen: int | None = None,
) -> Message:
    """Pass a message of the ticket on to the draft's recipients, with its text and its files.

    What is stored is a note with recipients: the customer does not see it, and it answers nobody,
    so that no clock stops for it. Raises `TicketIsClosed`, `TicketHasChanged`, `NobodyIsNamed`,
    `ForwardedIsGone`, or `StatusIsLeftToTime` for a `then` in `closed`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if then:
        check_choosable(ticket, then)
    if not draft.recipients.get("to"):
        raise NobodyIsNamed(ticket)
    # Read anew under the ticket's lock: it may have moved since it was chosen.
    if not ticket.messages.public().filter(pk=forwards.pk).exists():
        raise ForwardedIsGone(ticket)
    message = store_message(
        ticket,
        ticket.newest_conversation,
        MessageKind.NOTE,
        replace(
            draft,
            quoted_text=forwards.text,
            provenance={**draft.provenance, "forwards": forwards.pk},
        ),
        actor=Actor.user(author),
    )
    if then:
        change_status(ticket, to=then, actor=Actor.user(author))
    return message


@transaction.atomic
def follow_up(ticket: Ticket, *, draft: MessageDraft, author: User) -> Message:
    """Write to the customer of a closed ticket: a new ticket that follows it.

    As with a reply, the new ticket is open, and the author's when they may hold it. Raises
    `EmptyMessage`, or `TicketIsMerged` where the work goes on in another ticket.
    """
    if ticket.merged_into_id:
        raise TicketIsMerged(ticket)
    actor = Actor.user(author)
    new = _open_follow_up(ticket, ticket.newest_conversation, draft=draft, actor=actor)
    if may_hold(author, new.team):
        new = assign_ticket(new, to=author, actor=actor, reason=[{"code": "answered"}])
    change_status(new, to=Status.objects.default_for(StatusCategory.OPEN), actor=actor)
    return new.messages.get()


def _open_follow_up(
    ticket: Ticket, conversation: Conversation, *, draft: MessageDraft, actor: Actor
) -> Ticket:
    return open_ticket(
        customer=conversation.customer,
        subject=ticket.subject,
        channel=Channel(conversation.channel),
        draft=draft,
        actor=actor,
        identity=conversation.identity,
        language=ticket.language,
        follow_up_of=ticket,
        our_address=conversation.our_address,
    )


@transaction.atomic
def add_note(
    ticket: Ticket, *, draft: MessageDraft, author: User, seen: int | None = None
) -> Message:
    """Write something that only colleagues read.

    Raises `TicketIsClosed`, `TicketHasChanged`, `EmptyMessage`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    return store_message(
        ticket, ticket.newest_conversation, MessageKind.NOTE, draft, actor=Actor.user(author)
    )
