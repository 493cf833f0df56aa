"""A ticket's timeline: messages, notes and events in the one order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from messaging.models import OutgoingMail
from tickets.models import Attachment, Channel, Event, Message, MessageKind, Ticket
from tickets.models.conversations import MessageQuerySet
from tickets.models.history import EventQuerySet
from tickets.sanitise import with_inline_images
from workspace.choices import Choices
from workspace.queues import Place
from workspace.sentences import actor_of, clause

MESSAGES_AT_ONCE = 50
#: What one actor did in this time is told in one sentence.
ONE_BREATH = timedelta(seconds=60)
#: Pictures that a message may show in its text; everything else is only ever downloaded.
SHOWN_INLINE = {"image/png", "image/jpeg", "image/gif", "image/webp"}


@dataclass(slots=True)
class MessageItem:
    pk: int
    source: str  # customer, agent, note
    name: str
    how: str
    at: datetime
    html: str
    quoted: str
    files: list[Attachment]
    mail: OutgoingMail | None
    is_message: bool = True

    @property
    def delivery(self) -> Delivery | None:
        return Delivery.of(self.mail) if self.mail else None


@dataclass(slots=True)
class EventItem:
    pk: int
    actor: str
    at: datetime
    clauses: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    is_message: bool = False

    @property
    def text(self) -> str:
        return ", ".join(self.clauses)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far the mail of an outgoing message has come."""

    tone: str
    text: str
    at: datetime | None
    is_moving: bool
    may_retry: bool

    @classmethod
    def of(cls, mail: OutgoingMail) -> Delivery:
        if mail.done_at:
            return cls("good", _("Sent"), mail.done_at, is_moving=False, may_retry=False)
        if mail.parked_at:
            text = _("Not sent: %(reason)s") % {"reason": mail.last_error or _("no reason given")}
            return cls("bad", text, mail.parked_at, is_moving=False, may_retry=True)
        if mail.attempts:
            text = _("Not sent yet: %(reason)s. Next try") % {"reason": mail.last_error}
            return cls("bad", text, mail.due_at, is_moving=True, may_retry=True)
        return cls("", _("Waiting to be sent"), None, is_moving=True, may_retry=False)


@dataclass(frozen=True, slots=True)
class Timeline:
    items: list[MessageItem | EventItem]
    #: Where the part before this one ends, when there is one.
    earlier: Place | None = None


def newest(ticket: Ticket, choices: Choices, *, before: Place | None = None) -> Timeline:
    """The newest messages (older than `before`) with everything that happened around them."""
    messages = Message.objects.filter(ticket=ticket)
    events = Event.objects.filter(ticket=ticket)
    if before:
        messages = messages.filter(
            Q(occurred_at__lt=before.moment) | Q(occurred_at=before.moment, pk__lt=before.pk)
        )
        events = events.filter(occurred_at__lt=before.moment)
    found = list(_readable(messages).order_by("-occurred_at", "-pk")[: MESSAGES_AT_ONCE + 1])
    earlier = None
    if len(found) > MESSAGES_AT_ONCE:
        found = found[:MESSAGES_AT_ONCE]
        earlier = Place(found[-1].occurred_at, found[-1].pk)
        events = events.filter(occurred_at__gte=earlier.moment)
    return Timeline(_merged(ticket, choices, found, _told(events)), earlier)


def since(ticket: Ticket, choices: Choices, *, version: int) -> Timeline:
    """What happened after the version of the ticket that a page has seen."""
    events = _told(Event.objects.filter(ticket=ticket).since_version(version))
    wanted = [event.message_id for event in events if event.message_id]
    messages = list(_readable(Message.objects.filter(ticket=ticket, pk__in=wanted)))
    return Timeline(_merged(ticket, choices, messages, events))


def _readable(messages: MessageQuerySet) -> MessageQuerySet:
    """Messages with what the page shows of them, and without the raw text, which can be long."""
    return messages.defer("html_raw", "text", "rfc_message_id", "provenance").annotate(
        customer_name=F("author_customer__name"), channel=F("conversation__channel")
    )


def _told(events: EventQuerySet) -> list[Event]:
    wanted = (
        "kind",
        "actor_kind",
        "actor_user_id",
        "actor_name",
        "occurred_at",
        "version",
        "data",
        "message_id",
    )
    return list(events.in_order().only(*wanted))


def _merged(
    ticket: Ticket, choices: Choices, messages: list[Message], events: Iterable[Event]
) -> list[MessageItem | EventItem]:
    """Messages stand where their event stands, so that nothing that happened at the same moment
    can change places with them."""
    with_them = _Enclosed.of(messages)
    written = {message.pk: message for message in messages}
    moments: list[tuple[tuple[datetime, int, int], Message | Event]] = []
    for event in events:
        message = written.pop(event.message_id, None) if event.message_id else None
        moments.append(((event.occurred_at, event.pk, 0), message or event))
    moments += [((message.occurred_at, 0, message.pk), message) for message in written.values()]
    moments.sort(key=lambda moment: moment[0])
    items: list[MessageItem | EventItem] = []
    for _at, what in moments:
        if isinstance(what, Message):
            items.append(_message_item(ticket, choices, what, with_them))
        elif text := clause(what, choices):
            _add_clause(items, what, text)
    return items


def _add_clause(items: list[MessageItem | EventItem], event: Event, text: str) -> None:
    last = items[-1] if items else None
    actor = actor_of(event)
    if (
        isinstance(last, EventItem)
        and last.actor == actor
        and event.occurred_at - last.at < ONE_BREATH
    ):
        last.clauses.append(text)
        last.kinds.append(event.kind)
    else:
        items.append(EventItem(event.pk, actor, event.occurred_at, [text], [event.kind]))


@dataclass(frozen=True, slots=True)
class _Enclosed:
    """The files and the mails of a page's messages, by the message's id."""

    files: dict[int, list[Attachment]]
    mails: dict[int, OutgoingMail]

    @classmethod
    def of(cls, messages: list[Message]) -> _Enclosed:
        wanted = [message.pk for message in messages]
        files: dict[int, list[Attachment]] = {}
        for file in Attachment.objects.filter(message__in=wanted).order_by("pk"):
            files.setdefault(file.message_id, []).append(file)
        sent = [message.pk for message in messages if message.kind == MessageKind.OUTBOUND]
        mails = OutgoingMail.objects.filter(
            message__in=sent, purpose=OutgoingMail.Purpose.REPLY
        ).only("message_id", "done_at", "parked_at", "attempts", "last_error", "due_at")
        return cls(files, {mail.message_id: mail for mail in mails if mail.message_id})


def _message_item(
    ticket: Ticket, choices: Choices, message: Message, enclosed: _Enclosed
) -> MessageItem:
    files = enclosed.files.get(message.pk, [])
    pictures = {
        file.content_id: reverse("desk_attachment", args=[file.key])
        for file in files
        if file.content_id and file.content_type in SHOWN_INLINE
    }
    shown = {file.content_id for file in files if f'"{file.content_id}"' in message.html}
    source, how = _manner(ticket, message)
    return MessageItem(
        pk=message.pk,
        source=source,
        name=_author(choices, message),
        how=how,
        at=message.occurred_at,
        html=with_inline_images(message.html, pictures) if pictures else message.html,
        quoted=message.quoted_text,
        files=[
            file
            for file in files
            if not (file.is_inline and file.content_id in pictures and file.content_id in shown)
        ],
        mail=enclosed.mails.get(message.pk),
    )


def _author(choices: Choices, message: Message) -> str:
    if message.author_user_id:
        known = choices.users.get(message.author_user_id)
        return known.name if known else message.author_name
    customer_name: str | None = getattr(message, "customer_name", None)
    return customer_name or message.author_name


def _manner(ticket: Ticket, message: Message) -> tuple[str, str]:
    if message.kind == MessageKind.NOTE:
        return "note", _("note")
    if message.kind == MessageKind.OUTBOUND:
        name = ticket.customer.name.split(" ")[0]
        if message.is_automatic:
            return "agent", _("automatic, to %(name)s") % {"name": name}
        return "agent", _("to %(name)s") % {"name": name}
    if message.is_automatic:
        return "customer", _("automatic answer")
    channel: str = getattr(message, "channel", "")
    return "customer", {
        Channel.EMAIL.value: _("by mail"),
        Channel.FORM.value: _("by the form"),
        Channel.API.value: _("through the API"),
        Channel.PHONE.value: _("by phone"),
        Channel.MESSENGER.value: _("in the messenger"),
    }.get(channel, "")
