"""What an open page says of itself: which ticket it shows, and whether somebody writes in it."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse, JsonResponse

from tickets.models import Ticket
from workspace import notifying, presence
from workspace.gate import DeskRequest, agents_only, with_ticket
from workspace.live import PAGE_NAME


class PageForm(forms.Form):
    page = forms.RegexField(rf"\A{PAGE_NAME.pattern}\Z")


class AnnouncementForm(PageForm):
    doing = forms.ChoiceField(choices=presence.Doing)


@with_ticket("POST")
def announce(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """This page shows the ticket from now on, and somebody reads or writes there."""
    form = AnnouncementForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    doing = presence.Doing(form.cleaned_data["doing"])
    presence.announce(request.user, ticket, page=form.cleaned_data["page"], doing=doing)
    # Whoever has it before them need not be told of it.
    notifying.mark_ticket_read(request.user, ticket)
    return HttpResponse(status=204)


@agents_only("POST")
def leave(request: DeskRequest) -> HttpResponse:
    """This page shows no ticket any more. Whoever is logged in speaks for their own pages only."""
    form = PageForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    presence.leave(request.user, page=form.cleaned_data["page"])
    return HttpResponse(status=204)


@agents_only("GET")
def others(request: DeskRequest) -> HttpResponse:
    """Where the colleagues are, as far as their tickets are mine to see."""
    found = [
        {
            "id": one.number,
            "page": one.page,
            "user": one.user_id,
            "name": one.name,
            "doing": one.doing,
        }
        for one in presence.others(request.user)
    ]
    return JsonResponse({"pages": found})
