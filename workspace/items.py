"""What stands in a timeline: messages, events, days, and long runs of events as one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from messaging.models import OutgoingMail

#: More events than this in a row are one line that opens.
EVENTS_IN_A_ROW = 3


class Item:
    """Something in a timeline. Templates look names up as keys first: answering that at once saves
    them an exception for each of the hundreds of names that a page asks for."""

    __slots__ = ()
    is_message: ClassVar[bool] = False
    is_event: ClassVar[bool] = False
    is_day: ClassVar[bool] = False
    is_fold: ClassVar[bool] = False
    is_new_mark: ClassVar[bool] = False

    def __getitem__(self, name: str) -> Any:
        try:
            return getattr(self, name)
        except (AttributeError, TypeError):
            raise KeyError(name) from None


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
        if mail.bounced_at:
            text = _("Came back: %(reason)s") % {"reason": mail.last_error or _("no reason given")}
            return cls("bad", text, mail.bounced_at, is_moving=False, may_retry=mail.is_parked)
        if mail.delivered_at and mail.done_at:
            return cls("good", _("Delivered"), mail.delivered_at, is_moving=False, may_retry=False)
        if mail.done_at:
            return cls("good", _("Sent"), mail.done_at, is_moving=False, may_retry=False)
        if mail.parked_at:
            text = _("Not sent: %(reason)s") % {"reason": mail.last_error or _("no reason given")}
            return cls("bad", text, mail.parked_at, is_moving=False, may_retry=True)
        if mail.attempts:
            text = _("Not sent yet: %(reason)s. Next try") % {"reason": mail.last_error.rstrip(".")}
            return cls("bad", text, mail.due_at, is_moving=True, may_retry=True)
        return cls("", _("Waiting to be sent"), None, is_moving=True, may_retry=False)


@dataclass(slots=True)
class FileItem(Item):
    """A file under a message. `preview` is the address of a picture that may be shown."""

    name: str
    size: int
    icon: str
    url: str
    preview: str = ""


@dataclass(slots=True)
class MessageItem(Item):
    pk: int
    source: str  # customer, agent, note
    name: str
    how: str
    icon: str
    at: datetime
    html: str
    quoted: str
    is_quoted_cut: bool
    files: list[FileItem]
    pictures: list[FileItem]
    mail: OutgoingMail | None
    #: Of the page about it alone.
    url: str
    #: Which of the ticket's conversations it belongs to, where there are several.
    thread: str = ""
    #: Of a phone call, what became of it.
    call: str = ""
    #: Whether pictures of other servers are kept back.
    keeps_pictures_back: bool = False
    is_mine: bool = False
    #: What the mail is beside its words: an icon and a sentence each.
    notable: list[tuple[str, str]] = field(default_factory=list)
    #: Where to say that whoever wrote the forwarded mail is the requester.
    original_url: str = ""

    is_message: ClassVar[bool] = True

    @property
    def ref(self) -> str:
        """Its id as text: a number would be written in the reader's language."""
        return str(self.pk)

    @property
    def has_more(self) -> bool:
        """Whether anything stands under its words."""
        return bool(
            self.quoted or self.files or self.pictures or self.keeps_pictures_back or self.notable
        )

    @property
    def delivery(self) -> Delivery | None:
        return Delivery.of(self.mail) if self.mail else None

    @property
    def sent_at(self) -> datetime | None:
        """When its mail left, for the usual case that it did and nobody said more."""
        mail = self.mail
        return None if mail is None or mail.bounced_at or mail.delivered_at else mail.done_at


@dataclass(slots=True)
class EventItem(Item):
    pk: int
    actor: str
    at: datetime
    clauses: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    is_event: ClassVar[bool] = True

    @property
    def ref(self) -> str:
        return str(self.pk)

    @property
    def text(self) -> str:
        return ", ".join(self.clauses)


@dataclass(slots=True)
class DayItem(Item):
    """Where a day begins."""

    day: date
    is_day: ClassVar[bool] = True

    @property
    def text(self) -> str:
        today = timezone.localdate()
        days = (today - self.day).days
        if days == 0:
            return _("Today")
        if days == 1:
            return _("Yesterday")
        if self.day.year == today.year:
            return date_format(self.day, pgettext("a day's heading, Django date format", "l j F"))
        return date_format(self.day, pgettext("a day's heading, Django date format", "j F Y"))


@dataclass(slots=True)
class FoldItem(Item):
    """A long run of events."""

    events: list[EventItem]
    is_fold: ClassVar[bool] = True

    @property
    def pk(self) -> int:
        return self.events[0].pk

    @property
    def at(self) -> datetime:
        return self.events[-1].at

    @property
    def text(self) -> str:
        count = sum(len(event.clauses) for event in self.events)
        return ngettext("%(count)d change", "%(count)d changes", count) % {"count": count}

    @property
    def actors(self) -> str:
        return ", ".join(dict.fromkeys(event.actor for event in self.events))


class NewMark(Item):
    """Before the first message that the reader has not seen."""

    is_new_mark: ClassVar[bool] = True


def arranged(
    items: list[MessageItem | EventItem], *, unread_after: datetime | None = None
) -> list[Item]:
    """The items with headings for their days, long runs of events folded, and a mark before the
    first message of somebody else that is newer than `unread_after`."""
    shown: list[Item] = []
    run: list[EventItem] = []
    day: date | None = None
    is_marked = unread_after is None

    def end_run() -> None:
        shown.extend([FoldItem(list(run))] if len(run) > EVENTS_IN_A_ROW else run)
        run.clear()

    for item in items:
        its_day = timezone.localdate(item.at)
        if its_day != day:
            end_run()
            day = its_day
            shown.append(DayItem(day))
        if isinstance(item, EventItem):
            run.append(item)
            continue
        end_run()
        if not is_marked and unread_after and item.at > unread_after and not item.is_mine:
            shown.append(NewMark())
            is_marked = True
        shown.append(item)
    end_run()
    return shown
