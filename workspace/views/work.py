"""Putting a ticket aside, dating, renaming and following it; time and calls."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from tickets.actions import (
    add_measured_time,
    follow_ticket,
    log_call,
    log_time,
    set_due,
    set_subject,
    snooze_ticket,
    unfollow_ticket,
    wake_ticket,
)
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.beside import Beside
from workspace.gate import DeskRequest, with_ticket
from workspace.steps import act, finish, show_step
from workspace.views.answers import refused as refused_beside
from workspace.views.answers import unknown
from workspace.work_forms import (
    DueForm,
    SnoozeForm,
    SubjectForm,
    TicketCallForm,
    TimeForm,
    presets,
)


@with_ticket("GET", "HEAD", "POST")
def snooze(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Put the ticket aside until a moment or a reply; or take it up again."""
    form = SnoozeForm(request.POST or None, initial={"seen": ticket.version, "at": _soon()})

    def again(**how: Any) -> HttpResponse:
        context = {"form": form, "presets": presets()}
        return show_step(request, "snooze", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    data, actor = form.cleaned_data, Actor.user(request.user)
    if data["until"] == "wake":
        return act(
            request,
            ticket,
            lambda: wake_ticket(ticket, actor=actor, seen=data["seen"]),
            seen=data["seen"],
        )
    return act(
        request,
        ticket,
        lambda: snooze_ticket(ticket, until=data["at"], actor=actor, seen=data["seen"]),
        seen=data["seen"],
        again=None if data["until"] else again,
    )


def _soon() -> Any:
    return presets()["tomorrow"]


@with_ticket("GET", "HEAD", "POST")
def due(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Say by when it should be done; an empty field takes the date away."""
    now = timezone.localtime()
    evening = now.replace(hour=17, minute=0, second=0, microsecond=0)
    initial = {"seen": ticket.version, "at": ticket.due_at or max(evening, presets()["later"])}
    form = DueForm(request.POST or None, initial=initial)

    def again(**how: Any) -> HttpResponse:
        return show_step(request, "due", {"form": form}, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    seen = form.cleaned_data["seen"]
    to = None if "none" in request.POST else form.cleaned_data["at"]
    return act(
        request,
        ticket,
        lambda: set_due(ticket, to=to, actor=Actor.user(request.user), seen=seen),
        seen=seen,
        again=again,
    )


@with_ticket("GET", "HEAD", "POST")
def subject(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Call the ticket something else."""
    initial = {"seen": ticket.version, "subject": ticket.subject}
    form = SubjectForm(request.POST or None, initial=initial)

    def again(**how: Any) -> HttpResponse:
        return show_step(request, "subject", {"form": form}, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    data = form.cleaned_data
    return act(
        request,
        ticket,
        lambda: set_subject(
            ticket, to=data["subject"], actor=Actor.user(request.user), seen=data["seen"]
        ),
        seen=data["seen"],
        again=again,
    )


@with_ticket("POST")
def follow(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Hear what happens to the ticket, or no more."""
    follows = request.POST.get("follow")
    if follows not in ("0", "1"):
        return refused_beside(request, ticket, unknown(), 422)
    (follow_ticket if follows == "1" else unfollow_ticket)(ticket, user=request.user)
    return finish(request, ticket, seen=ticket.version)


# -- Time ----------------------------------------------------------------------------------------


@with_ticket("GET", "HEAD", "POST")
def time(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """What time the ticket took, and whose; more is written down by hand."""
    form = TimeForm(request.POST or None)

    def again(**how: Any) -> HttpResponse:
        context = {
            "form": form,
            "entries": ticket.time_entries.select_related("user")[:30],
            "total": Beside.load(ticket, request.user).seconds_spent,
        }
        return show_step(request, "time", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    data = form.cleaned_data
    return act(
        request,
        ticket,
        lambda: log_time(ticket, user=request.user, seconds=data["spent"], note=data["note"]),
        seen=ticket.version,
        again=again,
    )


@with_ticket("POST")
def measured(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """What the page has measured since it last told; ignored unless the company wants it."""
    given = request.POST.get("seconds", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 6):
        return HttpResponse(status=422)
    if Beside.load(ticket, request.user).measures_time:
        add_measured_time(ticket, user=request.user, seconds=int(given))
    return HttpResponse(status=204)


# -- Calls ---------------------------------------------------------------------------------------


@with_ticket("GET", "HEAD", "POST")
def call(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write down a phone call with the ticket's customer."""
    form = TicketCallForm(request.POST or None, initial={"seen": ticket.version})

    def again(**how: Any) -> HttpResponse:
        context = {"form": form, "customer_name": ticket.customer.name}
        return show_step(request, "call", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    seen = form.cleaned_data["seen"]
    return act(
        request,
        ticket,
        lambda: log_call(ticket, call=form.call, user=request.user, then=form.status, seen=seen),
        seen=seen,
        again=again,
    )
