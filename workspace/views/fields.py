from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from tickets.actions import TicketHasChanged, TicketIsClosed, set_fields
from tickets.actor import Actor
from tickets.fields import FieldsAreWrong, definitions
from tickets.models import Ticket
from workspace.choices import Choices
from workspace.fields import TicketFields, sent_values
from workspace.gate import DeskRequest, with_ticket
from workspace.views.answers import Notice, closed, done, refused


@with_ticket("POST")
def change_fields(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Save what was written into the company's own fields of a ticket."""
    seen = request.POST.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) <= 9):
        return refused(request, ticket, Notice(_("Look at what is new, then save again.")), 422)
    values = sent_values(request.POST, definitions())
    try:
        set_fields(ticket, to=values, actor=Actor.user(request.user), seen=int(seen))
    except FieldsAreWrong as wrong:
        extra = {
            "fields": TicketFields.of(ticket, Choices.load(), typed=values, errors=wrong.errors)
        }
        notice = Notice(_("Some fields cannot be saved like this."))
        return refused(request, ticket, notice, 422, extra=extra)
    except TicketHasChanged:
        ticket.refresh_from_db()
        extra = {"fields": TicketFields.of(ticket, Choices.load(), typed=values)}
        return refused(request, ticket, None, 409, extra=extra)
    except TicketIsClosed:
        return refused(request, ticket, closed(), 409)
    return done(request, ticket, seen=int(seen))
