from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from messaging.actions import retry_mail
from messaging.models import OutgoingMail
from people.models import Team, User
from tickets.actions import (
    FieldsAreMissing,
    NotOnTeam,
    StatusIsLeftToTime,
    TicketHasChanged,
    TicketIsClosed,
    TooManyTags,
    assign_ticket,
    mark_ticket,
    move_to_team,
    set_category,
    set_priority,
    set_status,
    set_tags,
    set_type,
)
from tickets.actor import Actor
from tickets.models import (
    Category,
    Mark,
    Priority,
    Status,
    Ticket,
    TicketType,
)
from workspace.forms import ChangeForm
from workspace.gate import DeskRequest, with_ticket
from workspace.timeline import Delivery
from workspace.views.answers import Notice, back, closed, done, refused, unknown


@with_ticket("POST")
def change(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Change one property of the ticket."""
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return refused(request, ticket, unknown(), status=422)
    data = form.cleaned_data
    try:
        _CHANGES[data["property"]](
            ticket, data["value"], actor=Actor.user(request.user), seen=data["seen"]
        )
    except TicketHasChanged:
        return refused(request, ticket, None, status=409)
    except TicketIsClosed:
        return refused(request, ticket, closed(), status=409)
    except FieldsAreMissing as missing:
        text = _("Before it is solved, fill in: %(names)s.") % {"names": missing.names}
        return refused(request, ticket, Notice(text), status=422)
    except TooManyTags:
        notice = Notice(_("A ticket does not hold so many tags. Take some away."))
        return refused(request, ticket, notice, status=422)
    except NotOnTeam:
        notice = Notice(_("They do not work for the ticket’s team. Move the ticket first."))
        return refused(request, ticket, notice, status=422)
    except (Unknown, StatusIsLeftToTime):
        return refused(request, ticket, unknown(), status=422)
    return done(request, ticket, seen=data["seen"])


@with_ticket("POST")
def retry(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """Try again to send a mail that could not be sent."""
    mail = OutgoingMail.objects.replies_of(ticket).filter(pk=pk).first()
    if mail is None:
        raise Http404
    mail = retry_mail(mail)
    if request.headers.get("HX-Request"):
        context = {"ticket": ticket, "mail": mail, "delivery": Delivery.of(mail)}
        return render(request, "workspace/ticket/delivery.html", context)
    return back(request, ticket)


# -- One function for each property --------------------------------------------------------------


class Unknown(Exception):
    """The value names nothing that the property can be."""


def _set_status(ticket: Ticket, value: str, **how: Any) -> None:
    status = Status.objects.choosable().filter(pk=_pk(value)).first()
    if status is None:
        raise Unknown
    set_status(ticket, to=status, **how)


def _set_priority(ticket: Ticket, value: str, **how: Any) -> None:
    try:
        priority = Priority.from_slug(value)
    except KeyError:
        raise Unknown from None
    set_priority(ticket, to=priority, **how)


def _set_category(ticket: Ticket, value: str, **how: Any) -> None:
    category = Category.objects.filter(pk=_pk(value)).first() if value else None
    if value and category is None:
        raise Unknown
    set_category(ticket, to=category, **how)


def _set_type(ticket: Ticket, value: str, **how: Any) -> None:
    if value not in TicketType.values:
        raise Unknown
    set_type(ticket, to=TicketType(value), **how)


def _set_team(ticket: Ticket, value: str, **how: Any) -> None:
    team = Team.objects.filter(pk=_pk(value)).first() if value else None
    if value and team is None:
        raise Unknown
    move_to_team(ticket, to=team, **how)


def _set_assignee(ticket: Ticket, value: str, **how: Any) -> None:
    user = User.objects.assignable().filter(pk=_pk(value)).first() if value else None
    if value and user is None:
        raise Unknown
    assign_ticket(ticket, to=user, **how)


def _set_tags(ticket: Ticket, value: str, **how: Any) -> None:
    set_tags(ticket, to=value.split(","), **how)


def _set_mark(ticket: Ticket, value: str, **how: Any) -> None:
    if value and value not in Mark.values:
        raise Unknown
    mark_ticket(ticket, as_=Mark(value) if value else None, **how)


def _pk(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise Unknown
    return int(value)


_CHANGES: dict[str, Callable[..., None]] = {
    "status": _set_status,
    "priority": _set_priority,
    "category": _set_category,
    "type": _set_type,
    "team": _set_team,
    "assignee": _set_assignee,
    "tags": _set_tags,
    "mark": _set_mark,
}
