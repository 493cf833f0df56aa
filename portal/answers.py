"""What the portal's views answer with."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the browser to another page, also from a form that htmx sent."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def private(
    view: Callable[Concatenate[HttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], R]:
    """A page whose address is its key: no search engine lists it, no cache keeps it, and no other
    site is told the address.

    `same-origin` and not `no-referrer`: under the latter browsers send `Origin: null` with the
    page's own forms, which the protection against forged requests must refuse.
    """

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        patch_cache_control(response, private=True, no_store=True)
        return response

    return answer
