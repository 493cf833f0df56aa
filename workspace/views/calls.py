from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import Customer
from tickets.actions import TicketRefusal, open_by_phone
from workspace.customer_gate import with_customer
from workspace.gate import DeskRequest
from workspace.refusals import sentence, status_of
from workspace.steps import lead_to, show_step
from workspace.work_forms import NewCallForm


@with_customer("GET", "HEAD", "POST")
def new_call(request: DeskRequest, customer: Customer) -> HttpResponse:
    """Open a ticket with a phone call of this customer."""
    form = NewCallForm(request.POST or None, user=request.user)

    def again(**how: Any) -> HttpResponse:
        context = {"form": form, "customer_name": customer.name}
        return show_step(request, "call", context, **how)

    if request.method != "POST":
        return again()
    if not form.is_valid():
        return again(status=422)
    data = form.cleaned_data
    try:
        ticket = open_by_phone(
            customer=customer,
            subject=data["subject"],
            call=form.call,
            user=request.user,
            team=data["team"],
            then=form.status,
        )
    except TicketRefusal as refusal:
        return again(problem=sentence(refusal), status=status_of(refusal))
    told = _("#%(number)s was opened with your call.") % {"number": ticket.number}
    return lead_to(request, reverse("desk_ticket", args=[ticket.number]), told)
