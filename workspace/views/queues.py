from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from people.models import Tier
from people.models.names import in_language
from tickets.models import Channel, Priority, Ticket
from workspace.gate import DeskRequest, agents_only
from workspace.queues import PAGE_SIZE, QUEUES, Page, Place, Queue, page_of
from workspace.search import found
from workspace.views.shell import shell

CHANNEL_ICONS = {
    Channel.EMAIL.value: "mail",
    Channel.FORM.value: "file-text",
    Channel.API.value: "braces",
    Channel.PHONE.value: "phone",
    Channel.MESSENGER.value: "message-square",
}


#: What a row needs to know of a ticket.
SHOWN = (
    "pk",
    "number",
    "subject",
    "excerpt",
    "last_message_at",
    "channel",
    "status_category",
    "status__name",
    "status__names",
    "priority",
    "customer__name",
    "customer__tier",
    "tags",
    "waiting_since",
)


@agents_only("GET", "HEAD")
def desk(request: DeskRequest) -> HttpResponse:
    """An agent's day begins with what is theirs."""
    return redirect("desk_queue", "mine")


@agents_only("GET", "HEAD")
def queue(request: DeskRequest, slug: str) -> HttpResponse:
    """One queue; asked by htmx, only its list and the counts."""
    chosen = QUEUES.get(slug)
    if chosen is None:
        raise Http404
    context = shell(request.user, current=chosen) | list_of(
        request, chosen, current=_open_ticket(request)
    )
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return render(request, "workspace/list.html#fresh", context)
    return render(request, "workspace/list.html", context)


@agents_only("GET", "HEAD")
def search(request: DeskRequest) -> HttpResponse:
    """Jump to a ticket by its number, or find it by subject or customer."""
    words = request.GET.get("q", "").strip()[:200]
    number = words.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) <= 18:
        ticket = Ticket.objects.visible_to(request.user).filter(number=int(number)).first()
        if ticket:
            return HttpResponseRedirect(reverse("desk_ticket", args=[ticket.number]))
    if not words:
        return redirect("desk")
    tickets = list(found(words, user=request.user).values_list(*SHOWN, named=True)[:PAGE_SIZE])
    context = shell(request.user) | {
        "list_name": _("“%(words)s”") % {"words": words},
        "list_count": "",
        "search_value": words,
        "page": Page(tickets, None, None),
        "rows": rows_of(tickets, query=""),
        "list_empty": _(
            "No ticket with these words. Search by number, subject, the customer’s name or e-mail."
        ),
        "is_search": True,
    }
    return render(request, "workspace/list.html", context)


def list_of(
    request: DeskRequest, queue: Queue, *, current: int = 0, size: int = PAGE_SIZE
) -> dict[str, Any]:
    """The context of the list pane: one query."""
    after, before = _place(request, "after"), _place(request, "before")
    tickets = queue.tickets(request.user).values_list(*SHOWN, named=True)
    page = page_of(tickets, after=after, before=before, size=size)
    here = reverse("desk_queue", args=[queue.slug])
    return {
        "queue": queue,
        "list_name": queue.name,
        "list_empty": queue.empty,
        "page": page,
        "rows": rows_of(
            page.tickets, query=f"?{urlencode({'queue': queue.slug})}", current=current
        ),
        "list_url": f"{here}?{request.GET.urlencode()}" if after or before else here,
        "newer_url": f"{here}?{urlencode({'before': page.before})}" if page.before else "",
        "older_url": f"{here}?{urlencode({'after': page.after})}" if page.after else "",
    }


def rows_of(tickets: Iterable[Any], *, query: str, current: int = 0) -> list[dict[str, Any]]:
    """What the rows of a list show, worked out once and not in the template: lists are long."""
    channels = {value: str(label) for value, label in Channel.choices}
    priorities = {one.value: (one.slug, str(one.label)) for one in Priority}
    tiers = {value: str(label) for value, label in Tier.choices if value != Tier.STANDARD}
    desk_ticket = reverse("desk_ticket", args=[0])
    return [
        {
            "pk": ticket.pk,
            "url": f"{desk_ticket.replace('0', str(ticket.number))}{query}",
            "who": ticket.customer__name,
            "subject": ticket.subject,
            "excerpt": ticket.excerpt,
            "at": ticket.last_message_at,
            "icon": CHANNEL_ICONS.get(ticket.channel, "mail"),
            "channel": channels.get(ticket.channel, ""),
            "category": ticket.status_category,
            "status": in_language(ticket.status__name, ticket.status__names),
            "priority": priorities[ticket.priority][0],
            "priority_name": priorities[ticket.priority][1],
            "tier": tiers.get(ticket.customer__tier, ""),
            "tags": ticket.tags[:2],
            "is_waiting": ticket.waiting_since is not None,
            "is_current": ticket.number == current,
        }
        for ticket in tickets
    ]


def _open_ticket(request: DeskRequest) -> int:
    """The number of the ticket that is open beside the list which asks for itself anew."""
    match = re.search(r"/tickets/(\d{1,18})/", request.headers.get("HX-Current-URL", ""))
    return int(match[1]) if match else 0


def _place(request: DeskRequest, name: str) -> Place | None:
    return Place.parse(request.GET.get(name, ""))
