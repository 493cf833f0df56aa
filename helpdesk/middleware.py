from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

Handler = Callable[[HttpRequest], HttpResponse]


def client_address(get_response: Handler) -> Handler:
    """Take the client's address from X-Forwarded-For as far as our own proxies wrote it."""

    def handle(request: HttpRequest) -> HttpResponse:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        count = settings.TRUSTED_PROXIES
        if count and len(hops) >= count and hops[-count]:
            request.META["REMOTE_ADDR"] = hops[-count]
        return get_response(request)

    return handle


def request_id(get_response: Handler) -> Handler:
    """Tell whoever asked the name under which the logs know the request, and the logs who asked."""

    def handle(request: HttpRequest) -> HttpResponse:
        structlog.contextvars.bind_contextvars(ip=request.META.get("REMOTE_ADDR"))
        name = structlog.contextvars.get_contextvars().get("request_id", "")
        response = get_response(request)
        response["X-Request-ID"] = name
        return response

    return handle


def language_of_user(get_response: Handler) -> Handler:
    """Whoever is logged in reads the pages in the language of their settings."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return get_response(request)

    return handle
