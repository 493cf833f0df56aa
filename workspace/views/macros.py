"""What an agent inserts while writing: macros, canned replies, and the names of colleagues."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tickets.actions import FieldsAreMissing, TicketHasChanged, TicketIsClosed, TicketRefusal
from tickets.actions.drafts import add_to_draft
from tickets.gate import readers
from tickets.models import Ticket
from tickets.rich_text import for_editor
from tickets.sanitise import html_to_text
from triage.changes import UnknownChange
from triage.macros import apply_macro, changed_properties
from triage.models import Macro, MacroQuerySet
from workspace.composer import upload_url
from workspace.gate import DeskRequest, with_ticket
from workspace.views.answers import Notice, back, closed, refused
from workspace.views.shell import shell
from workspace.views.tickets import address_of

AT_ONCE = 50


@with_ticket("GET", "HEAD")
def macros(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """The macros that the agent may use; to our script as data, else as a page."""
    found = _usable(request)
    words = request.GET.get("q", "").split()[:6]
    for word in words:
        found = found.filter(name__icontains=word)
    shown = [
        {
            "pk": macro.pk,
            "name": macro.name,
            "isNote": macro.is_note,
            "text": html_to_text(macro.html)[:160],
            "changes": changed_properties(macro),
        }
        for macro in found[:AT_ONCE]
    ]
    if _asks_for_data(request):
        return JsonResponse({"macros": shown})
    context = shell(request.user) | address_of(request, ticket)
    return render(
        request, "workspace/ticket/macros.html", context | {"ticket": ticket, "macros": shown}
    )


@with_ticket("POST")
def use_macro(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """Make a macro's changes and insert its text into what the agent is writing."""
    macro = _usable(request).filter(pk=pk).first()
    if macro is None:
        raise Http404
    seen = request.POST.get("seen", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 9 else None
    before = ticket.version
    try:
        changed, html = apply_macro(ticket, macro, author=request.user, seen=version)
    except TicketHasChanged:
        return _not_used(request, ticket, None, 409)
    except TicketIsClosed:
        return _not_used(request, ticket, closed(), 409)
    except FieldsAreMissing as refusal:
        text = _("Before it is solved, fill in: %(names)s.") % {"names": refusal.names}
        return _not_used(request, ticket, Notice(text), 422)
    except (UnknownChange, TicketRefusal):
        text = _("This macro changes something that is not possible here. Nothing was changed.")
        return _not_used(request, ticket, Notice(text), 422)
    if _asks_for_data(request):
        told: dict[str, Any] = {
            "html": for_editor(html, upload_url),
            "isNote": macro.is_note,
            "isChanged": changed.version != before,
        }
        return JsonResponse(told)
    if html:
        add_to_draft(ticket, author=request.user, html=html, is_note=macro.is_note)
    return back(request, ticket)


def _not_used(
    request: DeskRequest, ticket: Ticket, notice: Notice | None, status: int
) -> HttpResponse:
    if not _asks_for_data(request):
        return refused(request, ticket, notice, status)
    text = notice.title if notice else _("This ticket has changed. Look at what is new first.")
    return JsonResponse({"error": text}, status=status)


@with_ticket("GET", "HEAD")
def colleagues(request: DeskRequest, ticket: Ticket) -> JsonResponse:
    """The colleagues who may read the ticket, and so be called by name in a note."""
    names = readers(ticket).exclude(pk=request.user.pk).order_by("name").values_list("name")
    return JsonResponse({"colleagues": [name for (name,) in names[:500]]})


def _usable(request: DeskRequest) -> MacroQuerySet:
    usable: MacroQuerySet = Macro.objects.visible_to(request.user)
    return usable.in_use()


def _asks_for_data(request: DeskRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")
