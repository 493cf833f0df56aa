"""Phone calls: a conversation of their own, with a note of what was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from people.models import Customer, Team, User
from people.models.names import one_line
from tickets import clock, history
from tickets.actions.assign import assign_ticket, may_hold, move_to_team
from tickets.actions.open import begin_ticket
from tickets.actions.status import change_status, check_choosable
from tickets.actions.store import store_message
from tickets.actions.summary import SPOKEN, after_an_answer
from tickets.actions.versions import locked_for_change
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.models import (
    Call,
    CallOutcome,
    Channel,
    Conversation,
    Kind,
    MessageKind,
    Status,
    StatusCategory,
    Ticket,
)


@dataclass(frozen=True, slots=True)
class CallDraft:
    """A call that took place. `text` is what was said, for colleagues; without one the outcome
    says it. `started_at` is now less its duration where nobody said when."""

    outcome: CallOutcome
    is_inbound: bool = True
    duration_seconds: int = 0
    text: str = ""
    started_at: datetime | None = None


@transaction.atomic
def log_call(
    ticket: Ticket,
    *,
    call: CallDraft,
    user: User,
    then: Status | None = None,
    seen: int | None = None,
) -> Call:
    """Write a call with the ticket's customer into the ticket, and set its status afterwards.

    Raises `TicketIsClosed`, `TicketHasChanged`, and whatever setting the status raises.
    """
    ticket = locked_for_change(ticket, seen=seen)
    if then:
        check_choosable(ticket, then)
    made = _log(ticket, call, user=user)
    if then:
        change_status(ticket, to=then, actor=Actor.user(user))
    return made


@transaction.atomic
def open_by_phone(
    *,
    customer: Customer,
    subject: str,
    call: CallDraft,
    user: User,
    team: Team | None = None,
    then: Status | None = None,
) -> Ticket:
    """Open a ticket with a phone call; it is the user's, and open. Nothing is sent to anybody.

    Raises whatever setting the status raises.
    """
    actor = Actor.user(user)
    ticket = begin_ticket(
        customer=customer,
        subject=one_line(subject, limit=300)
        or one_line(call.text, limit=80)
        or str(CallOutcome(call.outcome).label),
        channel=Channel.PHONE,
        actor=actor,
    )
    _log(ticket, call, user=user)
    if team:
        ticket = move_to_team(ticket, to=team, actor=actor)
    if may_hold(user, ticket.team):
        ticket = assign_ticket(ticket, to=user, actor=actor)
    then = then or Status.objects.default_for(StatusCategory.OPEN)
    check_choosable(ticket, then)
    return change_status(ticket, to=then, actor=actor)


def _log(ticket: Ticket, call: CallDraft, *, user: User) -> Call:
    now = clock.now()
    actor = Actor.user(user)
    conversation = Conversation.objects.create(
        ticket=ticket, customer=ticket.customer, channel=Channel.PHONE, created_at=now
    )
    text = call.text.strip() or str(CallOutcome(call.outcome).label)
    note = store_message(
        ticket, conversation, MessageKind.NOTE, MessageDraft(text=text), actor=actor
    )
    made = Call.objects.create(
        conversation=conversation,
        message=note,
        user=user,
        is_inbound=call.is_inbound,
        duration_seconds=call.duration_seconds,
        outcome=call.outcome,
        started_at=call.started_at or now,
    )
    if call.outcome in SPOKEN:
        ticket.waiting_since = after_an_answer(ticket)
    ticket.save_change("waiting_since")
    history.record(
        ticket,
        Kind.CALL_LOGGED,
        actor=actor,
        call=made.pk,
        is_inbound=made.is_inbound,
        outcome=made.outcome,
        seconds=made.duration_seconds,
    )
    return made
