from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from messaging.actions import retry_mail
from messaging.models import OutgoingMail
from people.models import Team, User
from tickets.actions import (
    EmptyMessage,
    NotOnTeam,
    StatusIsLeftToTime,
    TicketHasChanged,
    TicketIsClosed,
    add_note,
    assign_ticket,
    mark_ticket,
    move_to_team,
    reply,
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
    StatusCategory,
    Ticket,
    TicketType,
)
from workspace import timeline
from workspace.actions import send_follow_up
from workspace.choices import Choices
from workspace.forms import ChangeForm, FollowUpForm, MessageForm
from workspace.gate import DeskRequest, readable, with_ticket
from workspace.timeline import Delivery, MessageItem
from workspace.views.tickets import page, panes, queue_of


@dataclass
class Notice:
    """Why a change was not made, and what to do now."""

    title: str
    text: str = ""
    tone: str = "bad"
    lines: list[str] = field(default_factory=list)


@with_ticket("POST")
def send(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write a reply or a note into the ticket."""
    form = MessageForm(request.POST, request.FILES)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return _refused(request, ticket, Notice(str(problem)), status=422)
    seen, draft = form.cleaned_data["seen"], form.draft
    try:
        if form.is_note:
            add_note(ticket, draft=draft, author=request.user, seen=seen)
        else:
            then = form.cleaned_data["then"]
            status = Status.objects.default_for(StatusCategory(then)) if then else None
            reply(ticket, draft=draft, author=request.user, then=status, seen=seen)
    except TicketHasChanged:
        return _refused(request, ticket, None, status=409)
    except TicketIsClosed:
        return _refused(request, ticket, _closed(), status=409)
    except EmptyMessage:
        return _refused(request, ticket, Notice(_("Write something or attach a file first.")), 422)
    return _done(request, ticket, seen=seen, is_sent=True)


@with_ticket("POST")
def change(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Change one property of the ticket."""
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _refused(request, ticket, _unknown(), status=422)
    data = form.cleaned_data
    try:
        _CHANGES[data["property"]](
            ticket, data["value"], actor=Actor.user(request.user), seen=data["seen"]
        )
    except TicketHasChanged:
        return _refused(request, ticket, None, status=409)
    except TicketIsClosed:
        return _refused(request, ticket, _closed(), status=409)
    except NotOnTeam:
        notice = Notice(_("They do not work for the ticket’s team. Move the ticket first."))
        return _refused(request, ticket, notice, status=422)
    except (Unknown, StatusIsLeftToTime):
        return _refused(request, ticket, _unknown(), status=422)
    return _done(request, ticket, seen=data["seen"])


@with_ticket("POST")
def follow_up(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write to the customer of a closed ticket: a new ticket that follows it."""
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return _refused(request, ticket, Notice(str(problem)), status=422)
    new = send_follow_up(ticket, draft=form.draft, author=request.user, key=form.dedupe_key(ticket))
    return _go(request, reverse("desk_ticket", args=[new.number]))


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
    return _back(request, ticket)


# -- What became of it ---------------------------------------------------------------------------


def _done(
    request: DeskRequest, ticket: Ticket, *, seen: int, is_sent: bool = False
) -> HttpResponse:
    """The change was made: show what it did."""
    fresh = _still_visible(request, ticket)
    if fresh is None:
        text = _("#%(number)s has moved to where you do not see it any more.")
        messages.success(request, text % {"number": ticket.number})
        return _go(request, queue_of(request).url)
    if not request.headers.get("HX-Request"):
        return _back(request, fresh)
    choices = Choices.load()
    part = timeline.since(fresh, choices, version=seen)
    context = panes(request, fresh, choices, part) | {"is_sent": is_sent}
    response = render(request, "workspace/ticket/changes.html", context)
    response["HX-Trigger"] = json.dumps({"desk:changed": {}})
    return response


def _refused(
    request: DeskRequest, ticket: Ticket, notice: Notice | None, status: int
) -> HttpResponse:
    """Nothing was changed: say why beside the ticket's present state, and keep what was typed."""
    fresh = _still_visible(request, ticket)
    if fresh is None:
        raise Http404
    seen = request.POST.get("seen", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 9 else fresh.version
    typed = {
        "text": request.POST.get("text", ""),
        "kind": request.POST.get("kind", "outbound"),
    }
    choices = Choices.load()
    part = timeline.since(fresh, choices, version=version)
    if notice is None:
        notice = _changed(part.items, has_typed="text" in request.POST)
    if request.headers.get("HX-Request"):
        context = panes(request, fresh, choices, part) | {
            "notice": notice,
            "is_over": fresh.is_closed,
            **typed,
        }
        return render(request, "workspace/ticket/changes.html", context, status=status)
    if request.FILES:
        notice.lines.append(_("Choose your files again: a browser does not keep them."))
    return page(request, fresh, status=status, extra={"notice": notice, **typed})


def _changed(items: list[Any], *, has_typed: bool) -> Notice:
    lines = []
    for item in items:
        if isinstance(item, MessageItem):
            what = {
                "customer": _("%(name)s wrote a message."),
                "agent": _("%(name)s replied."),
                "note": _("%(name)s added a note."),
            }[item.source]
            lines.append(what % {"name": item.name})
        else:
            lines.append(f"{item.actor} {item.text}.")
    return Notice(
        _("This ticket has changed since you opened it."),
        _("Your text was not sent and is still here. Read what is new, then send it again.")
        if has_typed
        else _("Nothing was changed by you. Look at what is new, then choose again."),
        tone="warn",
        lines=lines,
    )


def _closed() -> Notice:
    return Notice(
        _("This ticket is closed and stays as it is."),
        _("Send your text as a follow-up: it opens a new ticket that is linked to this one."),
        tone="warn",
    )


def _unknown() -> Notice:
    return Notice(_("That choice does not exist any more. Look at the choices and try again."))


def _still_visible(request: DeskRequest, ticket: Ticket) -> Ticket | None:
    return readable(request.user).filter(pk=ticket.pk).first()


def _back(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    url = reverse("desk_ticket", args=[ticket.number])
    return HttpResponseRedirect(f"{url}?queue={queue_of(request).slug}")


def _go(request: DeskRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


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
