"""Writing one message into a ticket: shared by opening, receiving, replying and noting."""

from __future__ import annotations

from typing import Any

from people.models.names import one_line
from tickets import clock, history
from tickets.actions.summary import after_an_answer
from tickets.actor import Actor
from tickets.drafts import MessageDraft
from tickets.files import store_files
from tickets.models import Conversation, Kind, Message, MessageKind, Ticket
from tickets.sanitise import clean_html, storable, text_to_html


class EmptyMessage(Exception):
    """A message needs words or a file."""


def store_message(
    ticket: Ticket,
    conversation: Conversation,
    kind: MessageKind,
    draft: MessageDraft,
    *,
    actor: Actor,
) -> Message:
    """Write a message and its files into a ticket that the caller has locked."""
    now = clock.now()
    text = storable(draft.text)
    html_raw = storable(draft.html)
    shown = storable(draft.shown_html) or html_raw
    html = clean_html(shown) if shown else text_to_html(text)
    if not (text.strip() or html.strip() or draft.files):
        raise EmptyMessage
    message = Message.objects.create(
        ticket=ticket,
        conversation=conversation,
        kind=kind,
        author_user=actor.as_user,
        author_customer=actor.as_customer,
        html_raw=html_raw,
        html=html,
        text=text,
        quoted_text=storable(draft.quoted_text),
        recipients=dict(draft.recipients),
        rfc_message_id=draft.rfc_message_id,
        is_automatic=draft.is_automatic,
        provenance=draft.provenance,
        occurred_at=now,
        created_at=now,
    )
    store_files(message, draft.files)
    _note_on_ticket(ticket, message)
    told: dict[str, Any] = {"is_automatic": draft.is_automatic}
    if draft.mentions:
        told["mentions"] = list(draft.mentions)
    if forwarded := _forwarded(message):
        told["forwarded_to"] = forwarded
    history.record(ticket, _KINDS[kind], actor=actor, message=message, **told)
    return message


def _forwarded(message: Message) -> list[str]:
    """To whom a note left the house, when it did; never a blind copy, which stays in its row."""
    if message.kind != MessageKind.NOTE:
        return []
    return [*message.recipients.get("to", ()), *message.recipients.get("cc", ())]


_KINDS = {
    MessageKind.INBOUND: Kind.MESSAGE_RECEIVED,
    MessageKind.OUTBOUND: Kind.MESSAGE_SENT,
    MessageKind.NOTE: Kind.NOTE_ADDED,
}


def _note_on_ticket(ticket: Ticket, message: Message) -> None:
    """Keep what the lists show of a ticket's messages."""
    fields = []
    if message.kind != MessageKind.NOTE:
        ticket.last_message_at = message.occurred_at
        ticket.excerpt = one_line(message.text[:2000], limit=200)
        fields += ["last_message_at", "excerpt"]
    if not message.is_automatic:
        if message.kind == MessageKind.INBOUND and ticket.waiting_since is None:
            ticket.waiting_since = message.occurred_at
            fields.append("waiting_since")
        elif message.kind == MessageKind.OUTBOUND and message.author_user_id:
            ticket.waiting_since = after_an_answer(ticket)
            fields.append("waiting_since")
    ticket.save_change(*fields)
