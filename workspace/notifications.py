"""What a colleague has been told, as their pages and mails show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import User
from tickets.models import Kind, Ticket
from tickets.models.tickets import TicketQuerySet
from workspace.choices import Choices
from workspace.models import Notification, NotificationKind
from workspace.models.notifications import NotificationQuerySet
from workspace.preferences import Preferences, Way
from workspace.queues import Queue
from workspace.sentences import actor_of, clause

#: So many are shown at once; whoever has more reads the newest.
MOST = 100

ICONS = {
    NotificationKind.MENTIONED: "at-sign",
    NotificationKind.ASSIGNED: "user-check",
    NotificationKind.CUSTOMER_REPLIED: "message-square",
    NotificationKind.FOLLOWED: "eye",
    NotificationKind.WOKEN: "alarm-clock",
    NotificationKind.NOT_SENT: "triangle-alert",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One notification in words."""

    pk: int
    kind: str
    icon: str
    text: str
    excerpt: str
    at: datetime
    is_read: bool
    url: str


@dataclass(slots=True)
class Group:
    """What happened to one ticket, newest first."""

    number: int
    subject: str
    url: str
    items: list[Item] = field(default_factory=list)

    @property
    def unread(self) -> list[int]:
        return [item.pk for item in self.items if not item.is_read]

    @property
    def is_unread(self) -> bool:
        return bool(self.unread)


def shown_to(user: User, *, way: Way = Way.APP) -> NotificationQuerySet:
    """Those that the user wants to hear of this way, as far as they may see the tickets now."""
    return Notification.objects.visible(user, kinds=Preferences.of(user).kinds(way))


def unread_count(user: User) -> int:
    """In how many tickets something is unread: what the bell says."""
    return shown_to(user).unread().order_by().values("ticket").distinct().count()


def bell(user: User) -> Queue:
    """The tickets in which something is unread, to be counted with the queues in one query."""
    kinds = Preferences.of(user).kinds(Way.APP)
    # Its name says what it counts: a count's SQL is kept by its queue's name.
    return Queue("told-" + "-".join(sorted(kinds)), "", "bell", "", partial(_told, kinds))


def _told(kinds: list[NotificationKind], user: User) -> TicketQuerySet:
    mine = Notification.objects.filter(user=user.pk, kind__in=kinds).unread()
    return Ticket.objects.visible_to(user).filter(pk__in=mine.values("ticket"))


def grouped(notifications: Iterable[Notification]) -> list[Group]:
    """By ticket, whatever happened last first."""
    loaded = list(notifications)
    choices = Choices.load() if loaded else None
    groups: dict[int, Group] = {}
    for one in loaded:
        ticket = one.ticket
        group = groups.get(ticket.pk)
        if group is None:
            url = reverse("desk_ticket", args=[ticket.number])
            group = groups[ticket.pk] = Group(ticket.number, ticket.subject, url)
        assert choices
        group.items.append(_item(one, group.url, choices))
    return list(groups.values())


def with_all(notifications: NotificationQuerySet) -> NotificationQuerySet:
    """With everything that their words need."""
    return notifications.select_related("ticket", "event", "event__actor_user")


def words(notifications: Sequence[Notification]) -> list[Item]:
    """Each in words, in their order."""
    choices = Choices.load() if notifications else None
    return [
        _item(one, reverse("desk_ticket", args=[one.ticket.number]), choices)
        for one in notifications
        if choices
    ]


def _item(one: Notification, url: str, choices: Choices) -> Item:
    kind = NotificationKind(one.kind)
    message = one.event.message_id if one.event else None
    return Item(
        pk=one.pk,
        kind=kind.value,
        icon=ICONS[kind],
        text=_text(one, kind, choices),
        excerpt=one.excerpt,
        at=one.created_at,
        is_read=one.read_at is not None,
        url=f"{url}#m{message}" if message else url,
    )


def _text(one: Notification, kind: NotificationKind, choices: Choices) -> str:
    event = one.event
    who: dict[str, str] = {"name": actor_of(event) if event else one.actor_name}
    if kind == NotificationKind.MENTIONED:
        return _("%(name)s mentions you") % who
    if kind == NotificationKind.ASSIGNED:
        return _("%(name)s gave it to you") % who
    if kind == NotificationKind.WOKEN:
        return _("Back from being snoozed")
    if kind == NotificationKind.NOT_SENT:
        return _("Your message could not be sent")
    if event is None:
        return who["name"]
    if event.kind == Kind.MESSAGE_RECEIVED:
        return _("%(name)s wrote") % who
    if event.kind == Kind.MESSAGE_SENT:
        return _("%(name)s replied") % who
    if event.kind == Kind.NOTE_ADDED:
        return _("%(name)s added a note") % who
    did = clause(event, choices)
    return f"{who['name']} {did}" if did else _("%(name)s changed it") % who
