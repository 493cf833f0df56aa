"""Saved views as queues: what each holds for whom, and which stand in somebody's sidebar."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext as _

from people.models import Audience, User
from tickets import conditions
from tickets.conditions import InvalidCondition
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet
from workspace.columns import DEFAULT
from workspace.models import Pin, View
from workspace.queues import QUEUES, Queue, built_in

ICONS = {
    Audience.PERSONAL: "list-filter",
    Audience.TEAM: "users-round",
    Audience.EVERYONE: "building-2",
}
PREFIX = "view-"
#: What user.preferences says of somebody whose sidebar is not the usual one.
HAS_PINS = "has_pins"


def saved(view: View) -> Queue:
    """A saved view, to be read like a built-in one."""
    return Queue(
        f"{PREFIX}{view.pk}",
        view.name,
        ICONS[Audience(view.audience)],
        _("No ticket is as this view asks."),
        partial(tickets_of, view),
        sort=view.sort,
        columns=tuple(view.columns) or DEFAULT,
        group_by=view.group_by,
        view=view,
        is_fixed=not conditions.names_own_fields(view.conditions),
    )


def tickets_of(view: View, user: User) -> TicketQuerySet:
    """What a view holds for a reader; nothing where it asks for something that is gone."""
    tickets = Ticket.objects.visible_to(user).filter(merged_into=None)
    try:
        return conditions.matching(tickets, view.conditions, reader=user)
    except InvalidCondition:
        return tickets.none()


def problems_of(view: View) -> list[str]:
    """Why a view holds nothing: what it asks for that is gone."""
    try:
        conditions.check(view.conditions)
    except InvalidCondition as error:
        return error.problems
    return []


def chosen(slug: str, user: User) -> Queue | None:
    """The queue that an address names, if the user may see it."""
    if slug.startswith(PREFIX):
        pk = slug.removeprefix(PREFIX)
        if not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
            return None
        view = View.objects.visible_to(user).filter(pk=int(pk)).first()
        return saved(view) if view else None
    return QUEUES.get(slug)


def sidebar(user: User) -> list[Queue]:
    """The queues in somebody's sidebar, in their order: the built-in ones until they chose others.
    One query at most, and none for whoever never chose."""
    if not user.preferences.get(HAS_PINS):
        return built_in(user)
    return [
        saved(pin.view) if pin.view else QUEUES[pin.queue]
        for pin in Pin.objects.of(user)
        if pin.view or pin.queue in QUEUES
    ]
