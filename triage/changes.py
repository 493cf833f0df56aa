"""Changes of a ticket that were written down: what a macro holds, a bulk change does, a rule wants.

A change is a small JSON object, a list of them is applied in one transaction:

    {"set": "status", "to": 4}                 a Status's id, or a status category: "pending"
    {"set": "priority", "to": "high"}          low, normal, high, urgent
    {"set": "category", "to": 12}              a Category's id, or null
    {"set": "type", "to": "incident"}
    {"set": "team", "to": 3}                   a Team's id, or null
    {"set": "assignee", "to": 7}               a User's id, "me" for whoever applies it, or null
    {"set": "tags", "to": ["vip"]}             these and no others
    {"add": "tags", "to": ["vip"]}
    {"remove": "tags", "to": ["vip"]}
    {"set": "mark", "to": "spam"}              "spam", "test", or null
    {"set": "due", "to": "2026-11-30T17:00Z"}  a moment, {"hours": 24} from now, or null
    {"set": "snooze", "to": {"hours": 24}}     likewise, "reply" until the customer writes, or null
    {"set": "follow", "to": true}              for whoever applies it, or false
    {"set": "field:order_number", "to": "55"}  a custom field by its key, or null

Ids may be given as text, as a form sends them; "" is null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware, make_aware

from people.models import Team, User
from tickets import clock
from tickets.actions import (
    TicketHasChanged,
    assign_ticket,
    follow_ticket,
    mark_ticket,
    move_to_team,
    set_category,
    set_due,
    set_fields,
    set_priority,
    set_status,
    set_tags,
    set_type,
    snooze_ticket,
    unfollow_ticket,
    wake_ticket,
)
from tickets.actions.classify import normalised_tags
from tickets.actor import Actor
from tickets.fields import FieldsAreWrong
from tickets.models import (
    Category,
    Mark,
    Priority,
    Status,
    StatusCategory,
    Ticket,
    TicketType,
)

Change = dict[str, Any]
Changes = Sequence[Change]
Apply = Callable[[Ticket, Any, Actor], Ticket]

VERBS: Final = ("set", "add", "remove")
#: What the name of a change of a custom field begins with.
FIELD: Final = "field:"


class UnknownChange(Exception):
    """A change that names nothing we know: a property, or a value that does not exist any more."""

    def __init__(self, change: Any) -> None:
        super().__init__(f"No such change: {change!r}")
        self.change = change


@transaction.atomic
def apply_changes(
    ticket: Ticket, changes: Changes, actor: Actor, *, seen: int | None = None
) -> Ticket:
    """Make every change to the ticket, as ordinary actions by `actor`, or none of them.

    They are made in an order that lets them help each other, whatever order they are given in: the
    team before its assignee, the fields before the status that requires them. A change to what is
    so already does nothing. Nothing is asked of gates: the caller has found the ticket through one.

    Raises `UnknownChange`, and whatever the single actions raise (`TicketRefusal`); `seen` is the
    version on which the changes were made, else `TicketHasChanged`.
    """
    if seen is not None:
        ticket = Ticket.objects.locked().get(pk=ticket.pk)
        if ticket.version != seen:
            raise TicketHasChanged(ticket, seen=seen)
    for change in sorted(changes, key=_place):
        verb, name = parse(change)
        try:
            if name.startswith(FIELD):
                ticket = set_fields(
                    ticket, to={name.removeprefix(FIELD): change["to"]}, actor=actor
                )
            else:
                ticket = _APPLIED[name if verb == "set" else f"{verb} {name}"](
                    ticket, change["to"], actor
                )
        except (FieldsAreWrong, KeyError, OverflowError, TypeError, ValueError) as error:
            raise UnknownChange(change) from error
    return ticket


def check_changes(changes: Any) -> None:
    """Raise `UnknownChange` for the first of the changes that could not be understood; whether
    what it names still exists is only known when it is applied."""
    if not isinstance(changes, list):
        raise UnknownChange(changes)
    for change in changes:
        parse(change)


def parse(change: Any) -> tuple[str, str]:
    """The verb of a change and the property that it is about. Raises `UnknownChange`."""
    if not isinstance(change, dict) or "to" not in change or len(change) != 2:
        raise UnknownChange(change)
    verb = next((verb for verb in VERBS if verb in change), "")
    name = change.get(verb)
    if verb == "set" and isinstance(name, str) and name.startswith(FIELD):
        return verb, name
    if not isinstance(name, str) or (name if verb == "set" else f"{verb} {name}") not in _APPLIED:
        raise UnknownChange(change)
    return verb, name


# -- One function for each property --------------------------------------------------------------


def _set_status(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    if to in StatusCategory.values:
        status = Status.objects.default_for(StatusCategory(to))
    else:
        status = _existing(Status.objects.choosable(), to)
    return set_status(ticket, to=status, actor=actor)


def _set_priority(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    return set_priority(ticket, to=Priority.from_slug(_text(to)), actor=actor)


def _set_category(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    category = None if _is_nothing(to) else _existing(Category.objects.filter(archived_at=None), to)
    return set_category(ticket, to=category, actor=actor)


def _set_type(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    return set_type(ticket, to=TicketType(to), actor=actor)


def _set_team(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    team = None if _is_nothing(to) else _existing(Team.objects.in_use(), to)
    return move_to_team(ticket, to=team, actor=actor)


def _set_assignee(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    user: User | None
    if to == "me":
        if actor.as_user is None:
            raise ValueError("“me” is nobody: a rule applies the change.")
        user = actor.as_user
    else:
        user = None if _is_nothing(to) else _existing(User.objects.assignable(), to)
    return assign_ticket(ticket, to=user, actor=actor)


def _set_tags(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    return set_tags(ticket, to=normalised_tags(_words(to)), actor=actor)


def _add_tags(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    # Those it has stay, and of the new ones as many as it holds: the other changes count more.
    now = _now(ticket)
    return set_tags(now, to=normalised_tags([*now.tags, *_words(to)]), actor=actor)


def _remove_tags(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    now, gone = _now(ticket), {word.lower() for word in _words(to)}
    return set_tags(now, to=[tag for tag in now.tags if tag not in gone], actor=actor)


def _mark(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    return mark_ticket(ticket, as_=None if _is_nothing(to) else Mark(to), actor=actor)


def _set_due(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    return set_due(ticket, to=None if _is_nothing(to) else _moment(to), actor=actor)


def _snooze(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    if _is_nothing(to):
        return wake_ticket(ticket, actor=actor)
    return snooze_ticket(ticket, until=None if to == "reply" else _moment(to), actor=actor)


def _follow(ticket: Ticket, to: Any, actor: Actor) -> Ticket:
    if actor.as_user is None:
        raise ValueError("Nobody can follow: a rule applies the change.")
    (follow_ticket if to in (True, "true", "1") else unfollow_ticket)(ticket, user=actor.as_user)
    return ticket


#: In the order in which they are applied.
_APPLIED: dict[str, Apply] = {
    "team": _set_team,
    "assignee": _set_assignee,
    "type": _set_type,
    "category": _set_category,
    "priority": _set_priority,
    "tags": _set_tags,
    "remove tags": _remove_tags,
    "add tags": _add_tags,
    "mark": _mark,
    "due": _set_due,
    "follow": _follow,
    # After the fields, which the status may require.
    "status": _set_status,
    "snooze": _snooze,
}
_ORDER = {key: place for place, key in enumerate(_APPLIED)}


def _place(change: Any) -> float:
    verb, name = parse(change)
    if name.startswith(FIELD):
        return _ORDER["status"] - 0.5
    return _ORDER[name if verb == "set" else f"{verb} {name}"]


def _now(ticket: Ticket) -> Ticket:
    """The ticket as it is, locked: what is added to must not be what somebody else just changed."""
    return Ticket.objects.locked().get(pk=ticket.pk)


def _existing(rows: Any, to: Any) -> Any:
    text = str(to) if isinstance(to, int | str) else ""
    pk = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    found = rows.filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise ValueError("It does not exist any more.")
    return found


def _moment(to: Any) -> datetime:
    if isinstance(to, dict):
        return clock.now() + timedelta(hours=float(to["hours"]))
    moment = parse_datetime(_text(to))
    if moment is None:
        raise ValueError("It is no moment.")
    return moment if is_aware(moment) else make_aware(moment)


def _is_nothing(to: Any) -> bool:
    return to is None or to == ""


def _text(to: Any) -> str:
    if not isinstance(to, str):
        raise TypeError("Words are needed.")
    return to


def _words(to: Any) -> list[str]:
    words = to.split(",") if isinstance(to, str) else list(to)
    return [_text(word) for word in words]
