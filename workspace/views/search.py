"""Searching: the page of hits, and what is suggested while somebody types."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.search import BadOperator, find
from tickets.search.asked import tidy
from tickets.search.operators import NAMES
from workspace.gate import DeskRequest, agents_only
from workspace.search import hits, ticket_with_number
from workspace.suggestions import suggestions
from workspace.views.shell import shell


@agents_only("GET", "HEAD")
def search(request: DeskRequest) -> HttpResponse:
    """Jump to a ticket by its number, or find what is written in tickets."""
    typed = tidy(request.GET.get("q", "")).strip()
    if ticket := ticket_with_number(typed, request.user):
        return HttpResponseRedirect(reverse("desk_ticket", args=[ticket.number]))
    context: dict[str, Any] = shell(request.user) | {
        "list_name": _("“%(words)s”") % {"words": typed} if typed else _("Search"),
        "search_value": typed,
        "operators": NAMES.items(),
        "is_search": True,
        "list_empty": _(
            "No ticket that you may see has all of this. Try fewer words, or other ones."
        ),
    }
    try:
        found = find(typed, user=request.user)
    except BadOperator as error:
        context["problems"] = error.problems
        return render(request, "workspace/search/page.html", context, status=422)
    if typed:
        here = reverse("desk_search")
        shown = hits(
            found,
            user=request.user,
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )
        context["rows"] = shown.rows
        for name, place in (("newer_url", shown.page.before), ("older_url", shown.page.after)):
            if place:
                side = "before" if name == "newer_url" else "after"
                query = urlencode({"q": typed, side: shown.order.write(place)})
                context[name] = f"{here}?{query}"
    return render(request, "workspace/search/page.html", context)


@agents_only("GET", "HEAD")
def suggest(request: DeskRequest) -> HttpResponse:
    """What the palette and the search box offer for what was typed so far."""
    typed = tidy(request.GET.get("q", ""))
    numbers = [
        int(one)
        for one in request.GET.get("recent", "")[:200].split(",")
        if one.isascii() and one.isdigit() and len(one) <= 18
    ]
    parts = suggestions(typed, user=request.user, recent=numbers)
    return render(request, "workspace/search/suggestions.html", {"parts": parts, "typed": typed})
