"""Writing to a customer who has not asked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from people.models import Customer
from tickets.actions import FieldsAreMissing
from tickets.actions.first import NotTheirAddress
from tickets.models import Status, StatusCategory, Ticket
from tickets.models.tickets import new_key
from workspace.actions.first import send_first
from workspace.customer import CustomerPanel
from workspace.customer_gate import with_customer
from workspace.first_message import FirstMessageForm
from workspace.gate import DeskRequest
from workspace.views.customer_shell import shell


@with_customer("GET", "HEAD", "POST")
def write(request: DeskRequest, customer: Customer) -> HttpResponse:
    """The form, and the ticket that sending it opens."""
    user = request.user
    if request.method != "POST":
        form = FirstMessageForm(customer, user, initial={"key": new_key()})
        return _page(request, customer, form)
    form = FirstMessageForm(customer, user, request.POST, request.FILES)
    if form.is_valid():
        data = form.cleaned_data
        then = data["then"] or StatusCategory.PENDING
        try:
            ticket = send_first(
                customer,
                identity=form.addresses[data["identity"]],
                subject=data["subject"],
                draft=form.draft,
                author=user,
                team=form.teams.get(data["team"]),
                then=Status.objects.default_for(StatusCategory(then)),
                key=form.dedupe_key(customer, user),
            )
        except NotTheirAddress:
            form.add_error("identity", _("Meanwhile this address was taken away. Choose another."))
        except FieldsAreMissing as refusal:
            text = _("Before it is solved, fill in: %(names)s. Send it without solving.")
            form.add_error(None, text % {"names": refusal.names})
        else:
            if Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists():
                return redirect("desk_ticket", ticket.number)
            messages.success(request, _("Sent. The ticket is another team’s."))
            return redirect("desk_customer", customer.pk)
    return _page(request, customer, form, status=422)


def _page(
    request: DeskRequest, customer: Customer, form: FirstMessageForm, *, status: int = 200
) -> HttpResponse:
    panel = CustomerPanel.alone(customer, user=request.user)
    context = shell(request.user) | {
        "customer": panel,
        "who": customer,
        "form": form,
        "has_address": bool(form.addresses),
        "had_files": bool(request.FILES),
    }
    return render(request, "workspace/customers/write.html", context, status=status)
