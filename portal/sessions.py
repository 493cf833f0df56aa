"""The customer in this browser.

A customer's log-in is one key of the session and is never asked about by the agents' pages; an
agent's log-in is Django's own and is never asked about here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect

from people.models import Customer, Identity

KEY = "customer_identity"
P = ParamSpec("P")


def customer_of(request: HttpRequest) -> Customer | None:
    """Whoever logged in here by a mailed link."""
    pk = request.session.get(KEY)
    return Customer.objects.filter(identities=pk).first() if pk else None


def log_in(request: HttpRequest, identity: Identity) -> None:
    """Let this browser act for whoever has this address, under a new session: the old one's key is
    dead.

    What was shown is that they read this address's mail. Whose it is we look up each time, so that
    a merge of two customers, its undoing, and an address that was taken away all hold at once.
    """
    request.session.cycle_key()
    request.session[KEY] = identity.pk
    rotate_token(request)


def log_out(request: HttpRequest) -> None:
    """Forget the customer. A colleague who is logged in beside them stays logged in."""
    if request.user.is_authenticated:
        request.session.pop(KEY, None)
        request.session.cycle_key()
    else:
        request.session.flush()


def customer_required(
    view: Callable[Concatenate[HttpRequest, Customer, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give the view the customer, or lead to where one asks for a link."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        customer = customer_of(request)
        if customer is None:
            return redirect("portal_my")
        return view(request, customer, *args, **kwargs)

    return guarded
