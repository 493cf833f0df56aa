"""The door to the agents' pages: who may come in, and to which ticket."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url

from people.models import Role, User
from tickets.models import Ticket
from tickets.models.tickets import TicketQuerySet
from workspace.statement import NUMBER, USER, Statement

P = ParamSpec("P")


class DeskRequest(HttpRequest):
    """A request by somebody who works here."""

    user: User


def agents_only(
    *methods: str,
) -> Callable[[Callable[Concatenate[DeskRequest, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Let in whoever is logged in, and send everybody else to the page where they can."""

    def decorate(
        view: Callable[Concatenate[DeskRequest, P], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return log_in_first(request)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return _kept_private(view(cast(DeskRequest, request), *args, **kwargs))

        return guarded

    return decorate


def with_ticket(
    *methods: str,
) -> Callable[
    [Callable[Concatenate[DeskRequest, Ticket, P], HttpResponse]], Callable[..., HttpResponse]
]:
    """Give the view the ticket with this number; to whoever may not see it there is none, whatever
    they want to do with it."""

    def decorate(
        view: Callable[Concatenate[DeskRequest, Ticket, P], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(
            request: HttpRequest, number: int, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if not request.user.is_authenticated:
                return log_in_first(request)
            ticket = visible_ticket(request.user, number)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return _kept_private(view(cast(DeskRequest, request), ticket, *args, **kwargs))

        return guarded

    return decorate


def _kept_private(response: HttpResponse) -> HttpResponse:
    """No cache keeps a customer's words, nor mistakes a fragment for the page of its address."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def visible_ticket(user: User, number: int) -> Ticket:
    """The ticket with this number, or `Http404`."""
    numbered = _numbered(is_manager=user.is_manager)
    found = numbered.ask(user=user.pk, number=number) if user.is_active else ()
    if not found:
        raise Http404
    ticket: Ticket = found[0]
    return ticket


@cache
def _numbered(*, is_manager: bool) -> Statement:
    reader = User(pk=USER, role=Role.MANAGER if is_manager else Role.AGENT)
    return Statement.of(readable(reader).filter(number=NUMBER))


def readable(user: User) -> TicketQuerySet:
    """The tickets that this colleague may open, with what a page says of each."""
    return (
        Ticket.objects.visible_to(user)
        .select_related("customer__organisation")
        .annotate(follows=F("follow_up_of__number"))
    )


def log_in_first(request: HttpRequest) -> HttpResponse:
    """To the log-in page and back. A fragment's request moves the whole page there."""
    if request.headers.get("HX-Request"):
        page = request.headers.get("HX-Current-URL") or "/desk/"
        path = page.partition("//")[2].partition("/")[2]
        response = HttpResponse(status=401)
        response["HX-Redirect"] = redirect_to_login(f"/{path}").url
        return response
    back = request.get_full_path() if request.method == "GET" else resolve_url("desk")
    return redirect_to_login(back)
