"""A ticket's timeline: messages, notes and events in the one order in which they happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from messaging.reasons import NOTABLE, describe
from people.models import User
from tickets.files import PICTURES
from tickets.models import CallOutcome, Channel, Event, Message, MessageKind, Ticket
from tickets.models.history import EventQuerySet
from tickets.sanitise import has_remote_images, with_inline_images, with_reachable_tables
from workspace import written
from workspace.choices import Choices
from workspace.items import Delivery, EventItem, FileItem, Item, MessageItem, arranged
from workspace.queues import Place
from workspace.sentences import actor_of, clause
from workspace.statement import SINCE, TICKET, Statement
from workspace.written import File, Written

__all__ = ["Delivery", "EventItem", "MessageItem", "Reader", "Timeline", "newest", "since"]

MESSAGES_AT_ONCE = 20
#: Of what stands around a message to which a link leads: a little before it, the rest after.
BEFORE_A_LINKED_ONE = 8
#: What one actor did in this time is told in one sentence.
ONE_BREATH = timedelta(seconds=60)
#: A larger picture is a file to download, not a thumbnail.
LARGEST_PREVIEW = 8_000_000
#: So many of those who got a message stand beside its author.
NAMED_AT_MOST = 2

CHANNEL_ICONS = {
    Channel.EMAIL.value: "mail",
    Channel.FORM.value: "file-text",
    Channel.API.value: "braces",
    Channel.PHONE.value: "phone",
    Channel.MESSENGER.value: "message-square",
}


NOTABLE_ICONS = {
    "signed": "file-check",
    "signed_packed": "file-lock",
    "encrypted": "file-lock",
    "forwarded": "forward",
    "stranger": "circle-alert",
    "file_withheld": "shield-alert",
}


@dataclass(frozen=True, slots=True)
class Timeline:
    items: list[MessageItem | EventItem]
    #: Where the part before this one ends, when there is one.
    earlier: Place | None = None
    #: Where the part after this one begins, when it does not reach to now.
    later: Place | None = None
    #: The same as `items` with days, folds and the mark before what is new.
    shown: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and how far they had read."""

    user: User
    read_until: datetime | None = None


def newest(
    ticket: Ticket,
    choices: Choices,
    *,
    before: Place | None = None,
    reader: Reader | None = None,
    at_least: int = 0,
) -> Timeline:
    """The newest messages (older than `before`) with everything that happened around them."""
    most = max(MESSAGES_AT_ONCE, at_least)
    found = written.newest(ticket, before=before, limit=most + 1)
    earlier = None
    if len(found) > most:
        found.pop()
        earlier = _place(found[-1])
    return _timeline(ticket, choices, found, earlier=earlier, later=before, reader=reader)


def around(
    ticket: Ticket, choices: Choices, *, place: Place, reader: Reader | None = None
) -> Timeline:
    """The message at a place with some before it, and those after it."""
    after = written.following(ticket, place=place, limit=MESSAGES_AT_ONCE + 1)
    found = written.newest(ticket, before=place, limit=BEFORE_A_LINKED_ONE + 1)
    earlier = later = None
    if len(found) > BEFORE_A_LINKED_ONE:
        found.pop()
        earlier = _place(found[-1])
    if len(after) > MESSAGES_AT_ONCE:
        later = _place(after.pop())
    return _timeline(ticket, choices, found + after, earlier=earlier, later=later, reader=reader)


def following(ticket: Ticket, choices: Choices, *, place: Place) -> Timeline:
    """The messages from a place on, to be put under what ends before it."""
    found = written.following(ticket, place=place, limit=MESSAGES_AT_ONCE + 1)
    later = _place(found.pop()) if len(found) > MESSAGES_AT_ONCE else None
    return _timeline(ticket, choices, found, earlier=place, later=later)


def since(ticket: Ticket, choices: Choices, *, version: int) -> Timeline:
    """What happened after the version of the ticket that a page has seen."""
    events = list(_told(Event.objects.filter(ticket=ticket).since_version(version)))
    messages = written.these(ticket, [event.message_id for event in events if event.message_id])
    items = _merged(ticket, choices, messages, events)
    return Timeline(items, shown=arranged(items))


def place_of(ticket: Ticket, *, message: int) -> Place | None:
    """Where one of the ticket's messages stands."""
    row = Message.objects.filter(ticket=ticket, pk=message).values_list("occurred_at", "pk").first()
    return Place(*row) if row else None


def first_unread(ticket: Ticket, reader: Reader) -> Place | None:
    """Where the first message stands that somebody else wrote since the reader last looked."""
    if reader.read_until is None:
        return None
    row = (
        Message.objects.filter(ticket=ticket, occurred_at__gt=reader.read_until)
        .exclude(author_user=reader.user)
        .order_by("occurred_at", "pk")
        .values_list("occurred_at", "pk")
        .first()
    )
    return Place(*row) if row else None


def _place(message: Written) -> Place:
    return Place(message.occurred_at, message.pk)


def _timeline(
    ticket: Ticket,
    choices: Choices,
    messages: list[Written],
    *,
    earlier: Place | None = None,
    later: Place | None = None,
    reader: Reader | None = None,
) -> Timeline:
    if later:
        events = Event.objects.filter(ticket=ticket, occurred_at__lt=later.moment)
        if earlier:
            events = events.filter(occurred_at__gte=earlier.moment)
        told = list(_told(events))
    else:
        told = _newest_told().ask(ticket=ticket.pk, since=earlier.moment if earlier else _EVER)
    user = reader.user if reader else None
    items = _merged(ticket, choices, messages, told, user=user)
    shown = arranged(items, unread_after=reader.read_until if reader else None)
    return Timeline(items, earlier, later, shown)


@cache
def _newest_told() -> Statement:
    return Statement.of(_told(Event.objects.filter(ticket=TICKET, occurred_at__gte=SINCE)))


_EVER = datetime.min.replace(tzinfo=UTC)


def _told(events: EventQuerySet) -> EventQuerySet:
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
    return events.in_order().only(*wanted)


def _merged(
    ticket: Ticket,
    choices: Choices,
    messages: list[Written],
    events: Iterable[Event],
    *,
    user: User | None = None,
) -> list[MessageItem | EventItem]:
    """Messages stand where their event stands, so that nothing that happened at the same moment
    can change places with them."""
    waiting = {message.pk: message for message in messages}
    moments: list[tuple[tuple[datetime, int, int], Written | Event]] = []
    for event in events:
        message = waiting.pop(event.message_id, None) if event.message_id else None
        moments.append(((event.occurred_at, event.pk, 0), message or event))
    moments += [((message.occurred_at, 0, message.pk), message) for message in waiting.values()]
    moments.sort(key=lambda moment: moment[0])
    items: list[MessageItem | EventItem] = []
    for _at, what in moments:
        if isinstance(what, Written):
            items.append(message_item(ticket, choices, what, user=user))
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


def message_item(
    ticket: Ticket, choices: Choices, message: Written, *, user: User | None = None
) -> MessageItem:
    source, how = _manner(ticket, message)
    html, files, pictures = message.html, [], []
    if message.files:
        shown = {
            file.content_id: reverse("desk_preview", args=[file.key])
            for file in message.files
            if file.content_id and file.content_type in PICTURES
        }
        in_text = {one for one in shown if f'data-inline-image="{one}"' in html}
        html = with_inline_images(html, shown) if in_text else html
        # What the text shows is not shown a second time below it.
        given = [_file(file) for file in message.files if file.content_id not in in_text]
        files = [one for one in given if not one.preview]
        pictures = [one for one in given if one.preview]
    notable = [
        (NOTABLE_ICONS.get(one["code"], "calendar"), describe(one))
        for one in message.reasons
        if one.get("code") in NOTABLE
    ]
    return MessageItem(
        pk=message.pk,
        source=source,
        name=_author(choices, message),
        how=how,
        icon=CHANNEL_ICONS.get(message.channel, "") if source == "customer" else "",
        at=message.occurred_at,
        html=with_reachable_tables(html),
        quoted=message.quoted,
        is_quoted_cut=message.is_quoted_cut,
        files=files,
        pictures=pictures,
        mail=message.mail,
        url=f"{_messages_of(ticket.number)}{message.pk}/",
        thread=_thread(message) if message.conversations > 1 else "",
        call=_call(message) if message.call_outcome else "",
        keeps_pictures_back=has_remote_images(html),
        is_mine=user is not None and message.author_user == user.pk,
        notable=notable,
        original_url=_original_url(ticket, message) if notable else "",
    )


def _original_url(ticket: Ticket, message: Written) -> str:
    """Where the author of a forwarded mail is made the requester, unless they are."""
    named = next((one for one in message.reasons if one.get("code") == "forwarded"), None)
    if named is None or ticket.is_closed or ticket.customer.has_email(named["email"]):
        return ""
    return reverse("desk_original_requester", args=[ticket.number, message.pk])


@lru_cache(maxsize=1024)
def _messages_of(number: int) -> str:
    return reverse("desk_send", args=[number])


def _file(file: File) -> FileItem:
    kind = file.content_type
    is_picture = kind in PICTURES and file.size <= LARGEST_PREVIEW
    if kind.startswith("image/"):
        icon = "image"
    elif kind == "application/pdf" or kind.startswith("text/"):
        icon = "file-text"
    else:
        icon = "paperclip"
    return FileItem(
        name=file.name,
        size=file.size,
        icon=icon,
        url=reverse("desk_attachment", args=[file.key]),
        preview=reverse("desk_preview", args=[file.key]) if is_picture else "",
    )


def _author(choices: Choices, message: Written) -> str:
    if message.author_user:
        known = choices.users.get(message.author_user)
        return known.name if known else ""
    return message.author_customer or Message().author_name


def _thread(message: Written) -> str:
    channel = str(Channel(message.channel).label) if message.channel in Channel.values else ""
    return f"{channel} · #{message.merged_from}" if message.merged_from else channel


def _call(message: Written) -> str:
    """“Called us · 4 min · Resolved on the phone”."""
    way = _("Called us") if message.is_inbound_call else _("We called")
    parts = [way]
    if minutes := round((message.call_seconds or 0) / 60):
        parts.append(ngettext("%(count)d min", "%(count)d min", minutes) % {"count": minutes})
    elif message.call_seconds:
        parts.append(
            ngettext("%(count)d s", "%(count)d s", message.call_seconds)
            % {"count": message.call_seconds}
        )
    if message.call_outcome in CallOutcome.values:
        parts.append(str(CallOutcome(message.call_outcome).label))
    return " · ".join(parts)


def _with_others(name: str, message: Written) -> str:
    """Who else got it, as many as fit there; the page of the message names all of them."""
    told = message.recipients
    openly = [name, *told.get("to", ()), *told.get("cc", ())]
    blindly = told.get("bcc", [])
    names = _some(openly)
    return f"{names} · {_('Bcc')} {_some(blindly)}" if blindly else names


def _some(names: list[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" +{more}" if more > 0 else "")


def _manner(ticket: Ticket, message: Written) -> tuple[str, str]:
    if message.kind == MessageKind.NOTE and message.recipients.get("to"):
        names = ", ".join(message.recipients["to"])
        return "note", _("forwarded to %(names)s") % {"names": names}
    is_by_mail = any(one.get("code") == "answered_notification" for one in message.reasons)
    if message.kind == MessageKind.NOTE and is_by_mail:
        return "note", _("note, by mail")
    if message.kind == MessageKind.NOTE:
        return "note", _("phone call") if message.call_outcome else _("note")
    if message.kind == MessageKind.OUTBOUND:
        name = ticket.customer.name.split(" ")[0]
        if is_by_mail:
            return "agent", _("to %(name)s, by mail") % {"name": name}
        if message.is_automatic:
            return "agent", _("automatic, to %(name)s") % {"name": name}
        return "agent", _("to %(name)s") % {"name": _with_others(name, message)}
    if message.is_automatic:
        return "customer", _("automatic answer")
    by = _BY.get(message.channel)
    return "customer", _(by) if by else ""


_BY = {
    Channel.EMAIL.value: gettext_noop("by mail"),
    Channel.FORM.value: gettext_noop("by the form"),
    Channel.API.value: gettext_noop("through the API"),
    Channel.PHONE.value: gettext_noop("by phone"),
    Channel.MESSENGER.value: gettext_noop("in the messenger"),
}
