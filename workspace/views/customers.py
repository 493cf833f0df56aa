"""Who the customers are: their list, one of them with everything about them, a new one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from people.actions import IdentityIsTaken, add_identity, create_customer, organisation_named
from people.models import Change, Customer, Identity, Permission, Stage
from people.models.names import one_line
from surveys.models import Survey
from tickets.models import Ticket
from tickets.models.vocabulary import OPEN_CATEGORIES
from workspace.customer import CustomerPanel, Story, alike, merges_of, notes_of
from workspace.customer_forms import NewCustomerForm
from workspace.customer_gate import with_customer
from workspace.gate import DeskRequest, agents_only, with_ticket
from workspace.journey import Place, newest_steps, stages_of
from workspace.views.customer_shell import shell

PAGE_SIZE = 50
TICKETS_SHOWN = 20
STEPS_SHOWN = 25
RATINGS_SHOWN = 10
CHANGES_SHOWN = 10


@agents_only("GET", "HEAD")
def customers(request: DeskRequest) -> HttpResponse:
    """All customers by name, or those whom the words find; page after page by the last name."""
    words = one_line(request.GET.get("q", ""), limit=200)
    found = Customer.objects.visible_to(request.user).standing()
    if words:
        found = found.found(words)
    place = _name_place(request)
    if place:
        name, pk = place
        found = found.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))
    rows = list(_listed(found, request).order_by("name", "pk")[: PAGE_SIZE + 1])
    last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
    here = {"q": words} if words else {}
    context = shell(request.user) | {
        "words": words,
        "rows": rows[:PAGE_SIZE],
        "is_first": place is None,
        "first_url": f"?{urlencode(here)}",
        "next_url": f"?{urlencode(here | {'after': last.name, 'pk': last.pk})}" if last else "",
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return render(request, "workspace/customers/list.html#found", context)
    return render(request, "workspace/customers/list.html", context)


def _listed(found: Any, request: DeskRequest) -> Any:
    """With what the list says of each: their first identity and how much they ask."""
    theirs = (
        Ticket.objects.visible_to(request.user).filter(customer=OuterRef("pk")).order_by("customer")
    )
    first = Identity.objects.filter(customer=OuterRef("pk")).order_by("position", "pk")
    asked = theirs.values("customer")
    return found.select_related("organisation").annotate(
        known_by=Subquery(first.values("value")[:1]),
        asked=Subquery(asked.annotate(n=Count("pk")).values("n")),
        waiting=Subquery(
            asked.filter(status_category__in=OPEN_CATEGORIES).annotate(n=Count("pk")).values("n")
        ),
        last_asked_at=Subquery(
            theirs.order_by("-created_at").values("created_at")[:1],
        ),
    )


def _name_place(request: DeskRequest) -> tuple[str, int] | None:
    pk = request.GET.get("pk", "")
    if "after" not in request.GET or not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
        return None
    return request.GET["after"].replace("\x00", "")[:160], int(pk)


@agents_only("GET", "HEAD", "POST")
def new(request: DeskRequest) -> HttpResponse:
    """Somebody who has not written to us yet."""
    form = NewCustomerForm(request.POST or None, initial={"language": request.user.language})
    taken_by = None
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("desk_customer", _created(request, form.cleaned_data).pk)
        except IdentityIsTaken as taken:
            taken_by = taken.customer.kept
    context = shell(request.user) | {"form": form, "taken_by": taken_by}
    refused = taken_by is not None or bool(form.errors)
    return render(request, "workspace/customers/new.html", context, status=422 if refused else 200)


@transaction.atomic
def _created(request: DeskRequest, given: dict[str, Any]) -> Customer:
    """All of it, or nothing. Raises `IdentityIsTaken`."""
    customer = create_customer(
        name=given["name"],
        language=given["language"],
        tier=given["tier"],
        organisation=organisation_named(given["organisation"], actor=request.user),
        actor=request.user,
    )
    for kind in (Identity.Kind.EMAIL, Identity.Kind.PHONE):
        if given[kind.value]:
            add_identity(customer, kind=kind, value=given[kind.value], actor=request.user)
    return customer


@with_customer("GET", "HEAD")
def customer(request: DeskRequest, customer: Customer) -> HttpResponse:
    """Everything about one customer."""
    user = request.user
    panel = CustomerPanel.alone(customer, user=user)
    context = {
        "customer": panel,
        "who": customer,
        **_tickets(request, customer),
        **_journey(request, customer),
    }
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "journey-steps":
        return render(request, "workspace/customers/journey.html", context)
    context |= shell(user) | {
        "stages": stages_of(customer, user=user),
        "notes": notes_of(customer),
        "ratings": _ratings(request, customer),
        "alike": alike(customer),
        "merges": merges_of(customer),
        "changes": _changes(request, customer),
    }
    return render(request, "workspace/customers/page.html", context)


def _tickets(request: DeskRequest, customer: Customer) -> dict[str, Any]:
    """Their tickets with what became of each, newest first."""
    tickets = Ticket.objects.visible_to(request.user).filter(customer=customer)
    place = Place.parse(request.GET.get("tickets", ""))
    if place:
        tickets = tickets.filter(
            Q(created_at__lte=place.at) & (Q(created_at__lt=place.at) | Q(pk__lt=place.pk))
        )
    rows = list(
        tickets.select_related("status", "survey", "assignee", "merged_into").order_by(
            "-created_at", "-pk"
        )[: TICKETS_SHOWN + 1]
    )
    last = rows[TICKETS_SHOWN - 1] if len(rows) > TICKETS_SHOWN else None
    older = {"tickets": Place(last.created_at, 1, last.pk)} if last else {}
    return {
        "tickets": rows[:TICKETS_SHOWN],
        "older_tickets_url": f"?{urlencode(older)}#tickets" if older else "",
        "newer_tickets_url": "?#tickets" if place else "",
    }


def _journey(request: DeskRequest, customer: Customer) -> dict[str, Any]:
    stage = request.GET.get("stage", "")
    stage = stage if stage in Stage.values else ""
    before = Place.parse(request.GET.get("before", ""))
    steps = newest_steps(
        customer, user=request.user, size=STEPS_SHOWN + 1, stage=stage, before=before
    )
    here = {"stage": stage} if stage else {}
    last = steps[STEPS_SHOWN - 1] if len(steps) > STEPS_SHOWN else None
    return {
        "stage": stage,
        "steps": steps[:STEPS_SHOWN],
        "is_first_part": before is None,
        "more_steps_url": f"?{urlencode(here | {'before': last.place})}" if last else "",
    }


def _ratings(request: DeskRequest, customer: Customer) -> list[Survey]:
    rated = Survey.objects.visible_to(request.user).answered().filter(ticket__customer=customer)
    return list(rated.select_related("ticket").order_by("-answered_at")[:RATINGS_SHOWN])


def _changes(request: DeskRequest, customer: Customer) -> list[dict[str, Any]]:
    """Who changed the record, for whoever may read that: each value before and after."""
    if not request.user.may(Permission.READ_CHANGES):
        return []
    changes = Change.objects.filter(subject_kind="customer", subject_id=customer.pk)
    return [
        {
            "actor": change.actor.name if change.actor else "",
            "at": change.made_at,
            "verb": change.verb,
            "lines": [
                {"name": name, "before": change.before.get(name), "after": change.after.get(name)}
                for name in {**change.before, **change.after}
            ],
        }
        for change in changes.newest_first()[:CHANGES_SHOWN]
    ]


@with_ticket("GET", "HEAD")
def beside(request: DeskRequest, ticket: Ticket) -> HttpResponse:
    """The rest of the panel beside a ticket, which the ticket's page does not wait for."""
    panel = CustomerPanel.of(ticket, [], user=request.user)
    context = {
        "customer": panel,
        "who": ticket.customer,
        "story": Story.beside(ticket, user=request.user),
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
    }
    if request.headers.get("HX-Request"):
        return render(request, "workspace/ticket/story.html", context)
    return redirect(reverse("desk_customer", args=[ticket.customer_id]))
