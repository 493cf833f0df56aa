"""What the bells of Casa Nord tell: of the last days' history, and that a colleague calls."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q

from helpdesk.demo.company import Company as CasaNord
from helpdesk.demo.company import material
from tickets import clock
from tickets.actions import MessageDraft, add_note, follow_ticket
from tickets.mentions import mentioned
from tickets.models import Event, Kind, Ticket
from workspace.models import Notification
from workspace.notifying import notify

#: So far back it is told, and so long it has been left unread.
TOLD: Final = timedelta(days=3)
UNREAD: Final = timedelta(hours=4)
#: Of a customer's first message nobody is told: until triage has read it, it belongs to nobody.
WORTH_TELLING: Final = (
    Q(kind=Kind.ASSIGNED)
    | Q(kind=Kind.MESSAGE_RECEIVED, version__gt=1, assignee__isnull=False)
    | Q(data__has_key="mentions")
)


def call_colleagues(casa_nord: CasaNord) -> None:
    """The notes in which one colleague calls another, each on a request that is open now."""
    for entry in material("desk")["mentions"]:
        author, called = casa_nord.people[entry["by"]], casa_nord.people[entry["to"]]
        ticket = _next_of(casa_nord, entry["team"])
        if ticket is None:
            continue
        follow_ticket(ticket, user=author)
        text = f"@{called.name} {entry['text']}"
        draft = MessageDraft(text=text, mentions=tuple(mentioned(ticket, text)))
        add_note(ticket, draft=draft, author=author)


def tell(*, until: datetime) -> None:
    """Of what happened in the last days, each at its time; nothing of it is mailed now."""
    events = Event.objects.filter(WORTH_TELLING, occurred_at__gt=until - TOLD)
    for event in events.select_related("ticket", "message").in_order():
        with clock.at(event.occurred_at):
            notify(event, event.ticket)
    Notification.objects.update(mailed_at=F("created_at"))
    Notification.objects.filter(created_at__lt=until - UNREAD).update(
        read_at=F("created_at") + timedelta(minutes=20)
    )


def _next_of(casa_nord: CasaNord, team: str) -> Ticket | None:
    """An open request of the team that nobody has been called to yet."""
    called = Event.objects.filter(data__has_key="mentions").values("ticket")
    waiting = Ticket.objects.open().counted().filter(team=casa_nord.teams[team])
    return waiting.exclude(pk__in=called).order_by("-last_message_at", "-pk").first()
