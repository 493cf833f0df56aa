"""What a person is shown after they changed a ticket: what it did, or why it was not done."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.models import Ticket
from workspace import timeline
from workspace.beside import Beside
from workspace.choices import Choices
from workspace.comparing import Comparison
from workspace.composer import Composer
from workspace.facts import Facts
from workspace.gate import DeskRequest, readable
from workspace.views.tickets import page, panes, queue_of


@dataclass
class Notice:
    """Why a change was not made, and what to do now."""

    title: str
    text: str = ""
    tone: str = "bad"
    lines: list[str] = field(default_factory=list)
    #: How it is sent all the same: the status category that it sets then, or "none".
    anyway: str = ""
    anyway_says: str = ""
    #: Where somebody else was quicker: what they did beside what one wanted.
    comparison: Comparison | None = None


def done(request: DeskRequest, ticket: Ticket, *, seen: int, is_sent: bool = False) -> HttpResponse:
    """The change was made: show what it did."""
    fresh = still_visible(request, ticket)
    if fresh is None:
        text = _("#%(number)s has moved to where you do not see it any more.")
        messages.success(request, text % {"number": ticket.number})
        return go(request, queue_of(request).url)
    if not request.headers.get("HX-Request"):
        return back(request, fresh)
    choices = Choices.load()
    part = timeline.since(fresh, choices, version=seen)
    context = panes(request, fresh, choices, part) | {"is_sent": is_sent}
    response = render(request, "workspace/ticket/changes.html", context)
    response["HX-Trigger"] = json.dumps({"desk:changed": {}})
    return response


def refused(
    request: DeskRequest,
    ticket: Ticket,
    notice: Notice | None,
    status: int,
    *,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Nothing was changed: say why beside the ticket's present state, and keep what was typed."""
    fresh = still_visible(request, ticket)
    if fresh is None:
        raise Http404
    seen = request.POST.get("seen", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 9 else fresh.version
    has_typed = bool({"text", "html"} & request.POST.keys())
    choices = Choices.load()
    part = timeline.since(fresh, choices, version=version)
    if notice is None:
        facts = Facts.of(fresh, choices, user=request.user)
        comparison = Comparison.of(request.POST, part.items, facts=facts, version=fresh.version)
        title = _("This ticket has changed since you opened it.")
        notice = Notice(title, tone="warn", comparison=comparison)
    beside = Beside.load(fresh, request.user)
    extra = {**(extra or {}), "notice": notice}
    if has_typed:
        extra["composer"] = Composer.typed(beside, request.POST)
    if request.headers.get("HX-Request"):
        context = panes(request, fresh, choices, part, beside=beside)
        context |= extra | {"is_over": fresh.is_closed}
        return render(request, "workspace/ticket/changes.html", context, status=status)
    return page(request, fresh, status=status, extra=extra)


def closed() -> Notice:
    return Notice(
        _("This ticket is closed and stays as it is."),
        _("Send your text as a follow-up: it opens a new ticket that is linked to this one."),
        tone="warn",
    )


def unknown() -> Notice:
    return Notice(_("That choice does not exist any more. Look at the choices and try again."))


def still_visible(request: DeskRequest, ticket: Ticket) -> Ticket | None:
    return readable(request.user).filter(pk=ticket.pk).first()


def back(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    url = reverse("desk_ticket", args=[ticket.number])
    return HttpResponseRedirect(f"{url}?queue={queue_of(request).slug}")


def go(request: DeskRequest, url: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)
