from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import Customer
from tickets.actions import change_requester
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.gate import DeskRequest, with_ticket
from workspace.steps import act, show_step
from workspace.work_forms import RequesterForm

OFFERED = 8


@with_ticket("GET", "HEAD", "POST")
def requester(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """Find the customer whose ticket it is."""

    def again(to: Customer | None, **how: Any) -> HttpResponse:
        context: dict[str, Any] = {"step_url": reverse("desk_requester", args=[ticket.number])}
        if to:
            context["to"] = to
        else:
            words = request.GET.get("q", "").strip()[:200]
            context |= {"words": words, "customers": _customers(request, ticket, words)}
        return show_step(request, "requester", context, ticket=ticket, **how)

    pk = (request.POST or request.GET).get("to", "")
    to = None
    if pk:
        number = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else 0
        everybody = Customer.objects.visible_to(request.user)
        to = everybody.filter(pk=number, merged_into=None).first()
        if to is None:
            raise Http404
    if request.method != "POST":
        return again(to)
    form = RequesterForm(request.POST)
    if to is None or not form.is_valid():
        problem = next(iter(form.errors.values()))[0] if form.errors else _("Choose the customer.")
        return again(to, problem=str(problem), status=422)
    seen, chosen = form.cleaned_data["seen"], to

    def change() -> object:
        return change_requester(
            ticket,
            to=chosen,
            shows_history=form.cleaned_data["shows_history"] == "yes",
            actor=Actor.user(request.user),
            seen=seen,
        )

    return act(request, ticket, change, seen=seen, again=lambda **how: again(to, **how))


def _customers(request: DeskRequest, ticket: Ticket, words: str) -> list[Customer]:
    if not words:
        return []
    everybody = Customer.objects.visible_to(request.user).filter(merged_into=None)
    matching = (
        Q(pk__in=Customer.objects.with_email(words).values("pk"))
        if "@" in words
        else Q(name__icontains=words)
    )
    return list(
        everybody.filter(matching).exclude(pk=ticket.customer_id).order_by("name")[:OFFERED]
    )
