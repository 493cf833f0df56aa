"""A step of work on a ticket that asks something first: a dialog over the ticket's page, or without
JavaScript a page of its own, from one template."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tickets.actions import TicketRefusal
from tickets.models import Ticket
from workspace.gate import DeskRequest
from workspace.refusals import sentence, status_of
from workspace.views.answers import Notice, done, go, refused
from workspace.views.shell import shell
from workspace.views.tickets import address_of

Show = Callable[..., HttpResponse]

_NAMES = {
    "call": _("Log a call"),
    "due": _("Due date"),
    "incidents": _("Answer the incidents"),
    "link": _("Link to another ticket"),
    "merge": _("Merge into another ticket"),
    "requester": _("Change the requester"),
    "snooze": _("Snooze"),
    "split": _("Split into a new ticket"),
    "subject": _("Change the subject"),
    "time": _("Time spent"),
}


def is_dialog(request: DeskRequest) -> bool:
    """Asked for by a page that shows it over itself."""
    return bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")


def show_step(
    request: DeskRequest,
    name: str,
    context: dict[str, Any],
    *,
    ticket: Ticket | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The step's form, with what was typed and what was wrong with it."""
    context |= {"problem": problem, "ticket": ticket, "step_name": _NAMES[name]}
    if ticket:
        context |= address_of(request, ticket)
    if is_dialog(request):
        context["frame"] = "workspace/work/dialog.html"
    else:
        context |= {"frame": "workspace/work/page.html"} | shell(request.user)
    return render(request, f"workspace/work/{name}.html", context, status=status)


def act(
    request: DeskRequest,
    ticket: Ticket,
    change: Callable[[], object],
    *,
    seen: int,
    again: Show | None = None,
) -> HttpResponse:
    """Make one change and show what it did; refused, say why in the step (`again`), or beside the
    ticket where the change was one click."""
    try:
        change()
    except TicketRefusal as refusal:
        why, status = sentence(refusal), status_of(refusal)
        if again:
            return again(problem=why, status=status)
        return refused(request, ticket, Notice(why, tone="warn"), status)
    return finish(request, ticket, seen=seen)


def finish(request: DeskRequest, ticket: Ticket, *, seen: int) -> HttpResponse:
    """The ticket's page beneath the dialog shows what is new, and the dialog closes."""
    response = done(request, ticket, seen=seen)
    if request.headers.get("HX-Request") and response.status_code == 200:
        response["HX-Retarget"] = "#timeline-end"
        response["HX-Reswap"] = "beforebegin show:none"
        response["HX-Trigger"] = json.dumps({"desk:changed": {}, "step:done": {}})
    return response


def lead_to(request: DeskRequest, url: str, told: str) -> HttpResponse:
    """Somewhere else, where a line says what was done."""
    messages.success(request, told)
    return go(request, url)
