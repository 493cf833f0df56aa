from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from people.actions import recognise
from people.models import Customer
from tickets.actions import change_requester
from tickets.actor import Actor
from tickets.models import MessageKind, Ticket
from workspace.gate import DeskRequest, with_ticket
from workspace.steps import act, show_step
from workspace.work_forms import OriginalRequesterForm, RequesterForm

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
        to = Customer.objects.visible_to(request.user).standing().filter(pk=number).first()
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


@with_ticket("GET", "HEAD", "POST")
def original(request: DeskRequest, ticket: Ticket, pk: int) -> HttpResponse:
    """Make whoever wrote a forwarded mail the requester, as far as the mail names them."""
    message = get_object_or_404(ticket.messages.filter(kind=MessageKind.INBOUND), pk=pk)
    reasons = message.provenance.get("reasons") or ()
    named = next((one for one in reasons if one.get("code") == "forwarded"), None)
    if named is None:
        raise Http404

    def again(**how: Any) -> HttpResponse:
        known = Customer.objects.with_email(named["email"]).first()
        context: dict[str, Any] = {
            "step_url": reverse("desk_original_requester", args=[ticket.number, pk]),
            "other_url": reverse("desk_requester", args=[ticket.number]),
            "to": known or Customer(name=named.get("name") or named["email"]),
            "address": named["email"],
        }
        return show_step(request, "requester", context, ticket=ticket, **how)

    if request.method != "POST":
        return again()
    form = OriginalRequesterForm(request.POST)
    if not form.is_valid():
        problem = next(iter(form.errors.values()))[0]
        return again(problem=str(problem), status=422)

    @transaction.atomic
    def change() -> object:
        return change_requester(
            ticket,
            to=recognise(email=named["email"], name=named.get("name", "")),
            shows_history=form.cleaned_data["shows_history"] == "yes",
            actor=Actor.user(request.user),
            seen=form.cleaned_data["seen"],
        )

    return act(request, ticket, change, seen=form.cleaned_data["seen"], again=again)


def _customers(request: DeskRequest, ticket: Ticket, words: str) -> list[Customer]:
    if not words:
        return []
    everybody = Customer.objects.visible_to(request.user).standing()
    matching = (
        Q(pk__in=Customer.objects.with_email(words).values("pk"))
        if "@" in words
        else Q(name__icontains=words)
    )
    return list(
        everybody.filter(matching).exclude(pk=ticket.customer_id).order_by("name")[:OFFERED]
    )
