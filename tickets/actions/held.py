"""Sending what an agent wrote: at once, or after some seconds in which they may take it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from people.models import Company, User
from tickets import history
from tickets.actions.drafts import add_to_draft, drop_draft, files_of
from tickets.actions.fields import FieldsAreMissing
from tickets.actions.messages import ForwardedIsGone, NobodyIsNamed, add_note, forward, reply
from tickets.actions.status import check_choosable
from tickets.actions.store import EmptyMessage, store_message
from tickets.actions.versions import (
    TicketIsClosed,
    TicketIsMerged,
    TicketRefusal,
    locked_for_change,
    locked_though_closed,
)
from tickets.actor import Actor
from tickets.drafts import MessageDraft, Written
from tickets.files import check_files
from tickets.mentions import mentioned
from tickets.models import (
    Conversation,
    Draft,
    HeldMessage,
    Kind,
    Message,
    MessageKind,
    Status,
    Ticket,
    Upload,
    WriteMode,
)
from tickets.owed import GiveUp, fulfil, hurry
from tickets.rich_text import pictures
from tickets.sanitise import html_to_text


class TooLate(Exception):
    """The message has left: nobody can take it back any more."""


class AuthorHasLeft(TicketRefusal):
    """Whoever wrote the message no longer works here."""


class AuthorMayNotSee(TicketRefusal):
    """The ticket went where whoever wrote the message may not follow it."""


class AnswersElsewhere(TicketRefusal):
    """The conversation that the message answers goes on in another ticket."""


#: Why a message was not sent, as the ticket's history keeps it.
_CODES: Final[dict[str, str]] = {
    TicketIsClosed.__name__: "is_closed",
    TicketIsMerged.__name__: "is_merged",
    AuthorHasLeft.__name__: "author_has_left",
    AuthorMayNotSee.__name__: "author_may_not_see",
    AnswersElsewhere.__name__: "answers_elsewhere",
    ForwardedIsGone.__name__: "forwarded_is_gone",
    FieldsAreMissing.__name__: "fields_are_missing",
}


@transaction.atomic
def send_written(
    ticket: Ticket,
    *,
    written: Written,
    author: User,
    then: Status | None = None,
    seen: int | None = None,
) -> Message | HeldMessage:
    """Send what the author wrote, with the files that wait beside their draft; the draft is gone.

    What leaves the house is held for as long as the company lets it be taken back; a note is
    written at once. A reply that is held already, word for word, is not held twice. Raises what
    `reply`, `forward` and `add_note` raise, and `FileRefused`.
    """
    ticket = locked_for_change(ticket, seen=seen)
    seconds = 0 if written.mode == WriteMode.NOTE else Company.current().undo_send_seconds
    uploads = _wanted(ticket, author, written)
    _check(ticket, written, uploads, then)
    if seconds == 0:
        message = _write(ticket, written, uploads, author=author, then=then)
        drop_draft(ticket, author=author)
        return message
    earlier: HeldMessage
    for earlier in HeldMessage.objects.waiting(ticket).filter(author=author):
        is_same = (earlier.mode, earlier.html, earlier.recipients) == (
            written.mode,
            written.html,
            dict(written.recipients),
        ) and (earlier.forwards, earlier.quotes) == (written.forwards, written.quotes)
        # Files that wait are for another message: those of a second click are the first's already.
        if is_same and not uploads:
            return earlier
    is_reply = written.mode in (WriteMode.REPLY, WriteMode.REPLY_ALL)
    held = HeldMessage.objects.create(
        ticket=ticket,
        author=author,
        mode=written.mode,
        html=written.html,
        recipients=dict(written.recipients),
        forwards=written.forwards,
        quotes=written.quotes,
        conversation=ticket.newest_conversation if is_reply else None,
        then=then,
        due_at=timezone.now() + timedelta(seconds=seconds),
    )
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).update(held=held)
    drop_draft(ticket, author=author)
    hurry(send_held_message, held.pk, in_seconds=seconds)
    return held


@transaction.atomic
def take_back(held: HeldMessage) -> Draft:
    """Make a held message its author's draft again. Raises `TooLate`."""
    held = HeldMessage.objects.select_for_update(of=("self",)).get(pk=held.pk)
    if held.is_done or held.is_parked:
        raise TooLate
    held.taken_back_at = held.done_at = timezone.now()
    held.save(update_fields=["taken_back_at", "done_at"])
    return _as_draft(held, held.ticket)


@shared_task(name="tickets.tasks.send_held_message")
def send_held_message(pk: int) -> None:
    """Send a message whose time to take it back is over."""
    fulfil(HeldMessage, pk, _send, given_up=_give_back)


def _send(held: HeldMessage) -> None:
    if held.taken_back_at:
        raise GiveUp("It is its author's draft again.")
    written = Written(WriteMode(held.mode), held.html, held.recipients, held.forwards, held.quotes)
    uploads = list(held.uploads.order_by("pk"))
    try:
        ticket = locked_for_change(held.ticket)
        _check_author(held.author, ticket)
        answered = held.conversation
        if answered and answered.ticket_id != ticket.pk:
            raise AnswersElsewhere(ticket)
        held.message = _write(
            ticket, written, uploads, author=held.author, then=held.then, conversation=answered
        )
    except (TicketRefusal, EmptyMessage) as refusal:
        raise GiveUp(type(refusal).__name__) from refusal
    held.save(update_fields=["message"])


def _check_author(author: User, ticket: Ticket) -> None:
    """What they might when they pressed send they must still be allowed to when it leaves."""
    if not author.is_active:
        raise AuthorHasLeft(ticket)
    if not Ticket.objects.visible_to(author).filter(pk=ticket.pk).exists():
        raise AuthorMayNotSee(ticket)


def _give_back(held: HeldMessage) -> None:
    """What cannot be sent any more is its author's draft again, of a merged ticket where its
    conversation goes on; the history says so, and with it the author is told.

    Whoever may not open the ticket any more would never find their draft: then the text stays in
    the ticket as their note, for those who do. Whoever lets the row be tried again does not get
    it back twice.
    """
    if held.taken_back_at:
        return
    held.taken_back_at = timezone.now()
    held.save(update_fields=["taken_back_at"])
    ticket = locked_though_closed(held.ticket.carried_on_in)
    is_readable = Ticket.objects.visible_to(held.author).filter(pk=ticket.pk).exists()
    if is_readable:
        _as_draft(held, ticket)
        ticket.save_change()
    else:
        _as_note(held, ticket)
    why = _CODES.get(held.last_error)
    history.record(
        ticket,
        Kind.MESSAGE_NOT_SENT,
        actor=Actor.system(),
        author=held.author_id,
        name=held.author.name,
        is_draft=is_readable,
        reason=[{"code": f"not_sent_{why}"}] if why else [],
    )


def _as_note(held: HeldMessage, ticket: Ticket) -> None:
    uploads = list(held.uploads.order_by("pk"))
    draft = MessageDraft(
        text=html_to_text(held.html), html=held.html, files=tuple(files_of(uploads))
    )
    if not draft.is_empty:
        conversation = held.conversation or ticket.newest_conversation
        if conversation.ticket_id != ticket.pk:
            conversation = ticket.newest_conversation
        actor = Actor.user(held.author)
        store_message(ticket, conversation, MessageKind.NOTE, draft, actor=actor)
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()


def _as_draft(held: HeldMessage, ticket: Ticket) -> Draft:
    """The words come back above what their author has begun meanwhile."""
    draft = Draft.objects.select_for_update().of(held.author, ticket).first()
    begun = draft.html if draft else ""
    if draft:
        draft.html = ""
        draft.save(update_fields=["html"])
    draft = add_to_draft(ticket, author=held.author, html=f"{held.html}{begun}")
    draft.mode, draft.recipients, draft.forwards = held.mode, held.recipients, held.forwards
    draft.quotes = held.quotes
    if held.forwards and held.forwards.ticket_id != ticket.pk:
        # Never another message in its place, and never what was meant for others to the customer.
        draft.mode, draft.forwards = WriteMode.NOTE, None
    draft.save(update_fields=["mode", "recipients", "forwards", "quotes"])
    held.uploads.update(held=None, ticket=ticket)
    return draft


def _write(
    ticket: Ticket,
    written: Written,
    uploads: Sequence[Upload],
    *,
    author: User,
    then: Status | None,
    conversation: Conversation | None = None,
) -> Message:
    draft = MessageDraft(
        text=html_to_text(written.html),
        html=written.html,
        files=tuple(files_of(uploads)),
        recipients=written.recipients,
        provenance={} if written.quotes else {"quotes": False},
    )
    if written.mode == WriteMode.NOTE:
        draft = MessageDraft(
            text=draft.text,
            html=draft.html,
            files=draft.files,
            mentions=tuple(mentioned(ticket, draft.text)),
        )
        message = add_note(ticket, draft=draft, author=author)
    elif written.mode == WriteMode.FORWARD:
        if written.forwards is None:
            raise ForwardedIsGone(ticket)
        message = forward(ticket, draft=draft, forwards=written.forwards, author=author, then=then)
    else:
        message = reply(ticket, draft=draft, author=author, then=then, conversation=conversation)
    # Their files are the message's now: the rows go, and the store keeps what they named.
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    return message


def _wanted(ticket: Ticket, author: User, written: Written) -> list[Upload]:
    """The files that go along: of the pictures in the text those that still stand in it."""
    shown = set(pictures(written.html))
    return [
        upload
        for upload in Upload.objects.of(author, ticket)
        if not upload.is_inline or upload.key in shown
    ]


def _check(
    ticket: Ticket, written: Written, uploads: Sequence[Upload], then: Status | None
) -> None:
    """Refuse at once what sending would refuse later."""
    if then:
        check_choosable(ticket, then)
    if written.mode == WriteMode.FORWARD:
        if not (written.forwards and written.recipients.get("to")):
            raise NobodyIsNamed(ticket)
    elif not (written.html or uploads):
        raise EmptyMessage
    check_files(files_of(uploads))
