from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from metrics.actions import facts_of
from metrics.clocks import clocks_of
from metrics.figures import FIGURES, Figure, narrowed
from metrics.findings import findings
from metrics.forms import ListForm, ReviewForm
from metrics.models import RevisionFact
from metrics.periods import Week
from metrics.week import CLOCKS, Review, review, revisions, settled_at
from people.models import Permission, Team, User
from tickets.models import Category, Ticket

PAGE_SIZE = 50
EARLIER_WEEKS = 6

P = ParamSpec("P")


class ReviewRequest(HttpRequest):
    """A request by somebody who works here."""

    user: User


ReviewView: TypeAlias = Callable[Concatenate[ReviewRequest, P], HttpResponse]


def colleagues_only(view: ReviewView[P]) -> Callable[..., HttpResponse]:
    """For whoever is logged in; the pages are read, and kept by no cache."""
    return _gated(view, is_open_to=lambda user: True)


def managers_only(view: ReviewView[P]) -> Callable[..., HttpResponse]:
    """The review is for whoever may see it, such as managers; others are told so."""
    return _gated(view, is_open_to=lambda user: user.may(Permission.SEE_REVIEWS))


def _gated(
    view: ReviewView[P], *, is_open_to: Callable[[User], bool]
) -> Callable[..., HttpResponse]:
    @require_safe
    @never_cache
    @login_required
    @wraps(view)
    def gate(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        asked = cast(ReviewRequest, request)
        if not is_open_to(asked.user):
            return render(request, "metrics/refused.html", status=403)
        return view(asked, *args, **kwargs)

    return gate


@managers_only
def current_week(request: ReviewRequest) -> HttpResponse:
    return redirect("review_week", Week.at(timezone.now()))


@managers_only
def week_page(request: ReviewRequest, week: Week) -> HttpResponse:
    """A week's figures against the week before."""
    now = timezone.now()
    form = ReviewForm(request.GET)
    if week > Week.at(now) or not form.is_valid():
        raise Http404
    chosen = form.cleaned_data
    found = review(week, now=now, team=chosen["team"], clock=chosen["clock"])
    context = {
        **_shell(week),
        "review": found,
        "findings": findings(found),
        "chart": _chart(found),
        "teams": _team_choices(),
        "clocks": _clock_choices(),
        "team": chosen["team"],
        "clock": chosen["clock"],
        "longest": _longest(chosen["clock"]),
        "previous": week.plus(-1),
        "next": week.plus(1) if found.is_over else None,
    }
    return render(request, "metrics/week.html", context)


@managers_only
def tickets_behind(request: ReviewRequest, week: Week) -> HttpResponse:
    """The tickets behind one number of a week."""
    now = timezone.now()
    form = ListForm(request.GET)
    if week > Week.at(now) or not form.is_valid():
        raise Http404
    chosen = form.cleaned_data
    figure, clock = FIGURES[chosen["figure"]], chosen["clock"]
    only = narrowed(team=chosen["team"], category=chosen["category"])
    if figure.model is RevisionFact:
        only &= revisions(settled_at(week))
        if chosen["reason"]:
            only &= Q(reason=chosen["reason"])
    rows = figure.rows(week.until(now), only).visible_to(request.user).for_list()
    if figure.value == "seconds":
        rows = rows.order_by(f"-{CLOCKS[clock]}", "ticket")
    page = Paginator(rows, PAGE_SIZE).get_page(chosen["page"] or 1)
    context = {
        **_shell(week),
        "figure": figure,
        "page": page,
        "rows": [_row(figure, fact) for fact in page],
        "team": chosen["team"],
        "team_name": dict(_team_choices()).get(chosen["team"], "") if chosen["team"] else "",
        "category_name": _category_name(chosen["category"]),
        "reason": RevisionFact.Reason(chosen["reason"]).label if chosen["reason"] else "",
        "clock": clock,
    }
    return render(request, "metrics/tickets.html", context)


@colleagues_only
def clocks(request: ReviewRequest, number: int) -> HttpResponse:
    """Every time of one ticket, taken apart into the events and segments that make it."""
    ticket = get_object_or_404(Ticket.objects.visible_to(request.user), number=number)
    facts = facts_of(ticket)
    context = {
        **_shell(None, is_manager=request.user.may(Permission.SEE_REVIEWS)),
        "ticket": ticket,
        "facts": facts,
        "clocks": clocks_of(ticket, facts) if facts else [],
    }
    return render(request, "metrics/clocks.html", context)


def _shell(week: Week | None, *, is_manager: bool = True) -> dict[str, Any]:
    """The navigation beside every page of this room."""
    tickets = {
        "url": reverse("desk"),
        "label": _("Tickets"),
        "icon": "inbox",
        "group": "",
    }
    if not is_manager:
        return {"queues": [tickets]}
    current = Week.at(timezone.now())
    earlier = [current.plus(-number) for number in range(1, EARLIER_WEEKS + 1)]
    return {
        "week": week,
        "queues": [
            {
                "url": reverse("review"),
                "label": _("Weekly review"),
                "icon": "chart-column",
                "current": week == current,
                "group": "",
            },
            tickets,
            *(
                {
                    "url": reverse("review_week", args=[each]),
                    "label": _("Week %(number)s") % {"number": each.number},
                    "icon": "calendar",
                    "current": each == week,
                    "group": _("Earlier weeks"),
                }
                for each in earlier
            ),
        ],
    }


def _chart(found: Review) -> dict[str, Any]:
    """Received and solved per day, as the chart component takes them."""
    return {
        "labels": [str(WEEKDAYS_ABBR[each.day.weekday()]) for each in found.days],
        "series": [
            {"name": _("Received"), "values": [each.received for each in found.days]},
            {"name": pgettext("tickets", "Solved"), "values": [each.solved for each in found.days]},
        ],
        "line": {"name": _("Usual received"), "values": [each.usual for each in found.days]},
    }


def _row(figure: Figure, fact: Any) -> dict[str, Any]:
    return {
        "fact": fact,
        "ticket": fact.ticket,
        "at": getattr(fact, figure.at),
        "reason": fact.get_reason_display() if figure.value == "reason" else "",
    }


def _team_choices() -> list[tuple[str, str]]:
    teams = [(str(team.pk), str(team)) for team in Team.objects.all()]
    return [("", _("All teams")), *teams, ("none", _("Without a team"))]


def _clock_choices() -> list[tuple[str, str]]:
    return [("business", _("Business hours")), ("calendar", _("Calendar time"))]


def _longest(clock: str) -> str:
    """The longest unit of a duration: a business day does not have 24 hours."""
    return "h" if clock == "business" else "d"


def _category_name(key: str) -> str:
    if key == "none":
        return _("Without a category")
    category = Category.objects.select_related("parent").filter(pk=key).first() if key else None
    return category.path if category else ""
