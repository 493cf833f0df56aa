"""Two records of one person: found, looked at side by side, merged, and taken apart again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from people.actions import CustomerWasMerged
from people.actions.merging import MergeIsBuried, MergeWasUndone, SameCustomer
from people.models import Customer, CustomerMerge, Permission
from people.models.names import one_line
from tickets.actions.customers import TooManyTickets, merge_customers, unmerge_customers
from tickets.models import Ticket
from workspace.customer import CustomerPanel, alike
from workspace.customer_gate import go, with_customer
from workspace.gate import DeskRequest, agents_only
from workspace.views.customer_shell import shell

FOUND = 10


@with_customer("GET", "HEAD", "POST", permission=Permission.MERGE_CUSTOMERS)
def merge(request: DeskRequest, customer: Customer) -> HttpResponse:
    """Choose the other record, see what becomes of both, and merge them."""
    if request.method != "POST":
        other = _other(request.GET.get("with", ""), customer)
        return _preview(request, customer, other) if other else _choose(request, customer)
    other = _other(request.POST.get("with", ""), customer)
    if other is None:
        raise Http404
    kept, absorbed = (other, customer) if request.POST.get("keep") == "other" else (customer, other)
    try:
        made = merge_customers(kept, absorbed, actor=request.user)
    except (CustomerWasMerged, SameCustomer):
        problem = _("Somebody else merged one of these two just now. Look at what is left.")
        return _preview(request, customer, other, problem=problem, status=409)
    except TooManyTickets:
        problem = _("The other record has too many tickets to be moved: keep that one instead.")
        return _preview(request, customer, other, problem=problem, status=422)
    text = _("%(name)s is one record now. You can undo this on this page.")
    messages.success(request, text % {"name": made.kept.name})
    return go(request, reverse("desk_customer", args=[made.kept_id]))


@agents_only("POST")
def undo(request: DeskRequest, pk: int) -> HttpResponse:
    """Take two records apart again."""
    if not request.user.may(Permission.MERGE_CUSTOMERS):
        raise PermissionDenied
    made = CustomerMerge.objects.select_related("kept", "absorbed").filter(pk=pk).first()
    if made is None:
        raise Http404
    try:
        unmerge_customers(made, actor=request.user)
    except MergeIsBuried:
        text = _("This record was merged into another one since. Undo that merge first.")
        messages.warning(request, text)
        return go(request, reverse("desk_customer", args=[made.kept.kept.pk]))
    except MergeWasUndone:
        messages.warning(request, _("Somebody has taken the two apart already."))
    else:
        text = _("%(one)s and %(other)s are two records again.")
        names = {"one": made.kept.name, "other": made.absorbed.name}
        messages.success(request, text % names)
    return go(request, reverse("desk_customer", args=[made.kept_id]))


def _other(text: str, customer: Customer) -> Customer | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    found = Customer.objects.select_related("organisation", "merged_into")
    return found.exclude(pk=customer.pk).filter(pk=int(text)).first()


def _choose(request: DeskRequest, customer: Customer) -> HttpResponse:
    words = one_line(request.GET.get("q", ""), limit=200)
    found: list[Customer] = []
    if words:
        others = Customer.objects.visible_to(request.user).standing().found(words)
        others = others.exclude(pk=customer.pk).select_related("organisation")
        found = list(others.prefetch_related("identities").order_by("name", "pk")[:FOUND])
    context = shell(request.user) | {
        "who": customer,
        "words": words,
        "found": found,
        "alike": alike(customer),
    }
    return render(request, "workspace/customers/merge_choose.html", context)


def _preview(
    request: DeskRequest,
    customer: Customer,
    other: Customer,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    sides = [_side(request, one) for one in (customer, other)]
    context = shell(request.user) | {
        "who": customer,
        "other": other,
        "sides": sides,
        "keeps_other": sides[1]["tickets"] > sides[0]["tickets"],
        "was_merged": any(side["who"].merged_into_id for side in sides),
        "problem": problem,
    }
    return render(request, "workspace/customers/merge.html", context, status=status)


def _side(request: DeskRequest, customer: Customer) -> dict[str, Any]:
    customer = Customer.objects.select_related("organisation", "merged_into").get(pk=customer.pk)
    return {
        "who": customer,
        "panel": CustomerPanel.alone(customer, user=request.user),
        "tickets": Ticket.objects.visible_to(request.user).filter(customer=customer).count(),
        "notes": customer.notes.count(),
        "touchpoints": customer.touchpoints.count(),
    }
