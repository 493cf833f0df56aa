from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.actions import (
    EmptyMessage,
    TicketHasChanged,
    TicketIsClosed,
    add_note,
    reply,
)
from tickets.models import Status, StatusCategory, Ticket
from workspace.actions import send_follow_up
from workspace.forms import FollowUpForm, MessageForm
from workspace.gate import DeskRequest, with_ticket
from workspace.views.answers import Notice, closed, done, go, refused


@with_ticket("POST")
def send(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write a reply or a note into the ticket."""
    form = MessageForm(request.POST, request.FILES)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return refused(request, ticket, Notice(str(problem)), status=422)
    seen, draft = form.cleaned_data["seen"], form.draft
    try:
        if form.is_note:
            add_note(ticket, draft=draft, author=request.user, seen=seen)
        else:
            then = form.cleaned_data["then"]
            status = Status.objects.default_for(StatusCategory(then)) if then else None
            reply(ticket, draft=draft, author=request.user, then=status, seen=seen)
    except TicketHasChanged:
        return refused(request, ticket, None, status=409)
    except TicketIsClosed:
        return refused(request, ticket, closed(), status=409)
    except EmptyMessage:
        return refused(request, ticket, Notice(_("Write something or attach a file first.")), 422)
    return done(request, ticket, seen=seen, is_sent=True)


@with_ticket("POST")
def follow_up(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Write to the customer of a closed ticket: a new ticket that follows it."""
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return refused(request, ticket, Notice(str(problem)), status=422)
    new = send_follow_up(ticket, draft=form.draft, author=request.user, key=form.dedupe_key(ticket))
    return go(request, reverse("desk_ticket", args=[new.number]))
