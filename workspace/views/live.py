"""The live stream of a page: server-sent events that say what to look at again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from workspace.hints import Listener
from workspace.hub import Hub

#: A comment now and then tells proxies and the browser that the stream lives.
HEARTBEAT_SECONDS = 20.0
#: Then the page comes again, so that whoever was logged out or moved to another team is noticed.
LONGEST_SECONDS = 600.0


async def live(request: HttpRequest) -> HttpResponseBase:
    """Hints for the tickets that the agent may see, as long as the page is open.

    401 without a log-in, 403 from a page of somebody else's, 503 where only WSGI is served.
    """
    if request.method != "GET":
        return HttpResponse(status=405, headers={"Allow": "GET"})
    if not _comes_from_our_page(request):
        return HttpResponse(status=403)
    listener = await sync_to_async(_listener)(request)
    if listener is None:
        return HttpResponse(status=401)
    if not isinstance(request, ASGIRequest):
        return HttpResponse("Live streams are served under ASGI.", status=503)
    response = StreamingHttpResponse(_events(listener), content_type="text/event-stream")
    response["Cache-Control"] = "no-store, no-transform"
    # Tells nginx and those who follow it to pass each event on at once.
    response["X-Accel-Buffering"] = "no"
    return response


def _listener(request: HttpRequest) -> Listener | None:
    user = request.user
    try:
        # The user is loaded only now: `request.user` is lazy.
        if not user.is_authenticated or not user.is_active:
            return None
        return Listener.of(user)
    finally:
        # The stream may last for hours: it must not keep a database connection all that time.
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()


def _comes_from_our_page(request: HttpRequest) -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.get_host()


async def _events(listener: Listener) -> AsyncIterator[str]:
    ends_at = time.monotonic() + LONGEST_SECONDS
    async with Hub.here().stream(listener) as stream:
        yield "retry: 3000\n\n"
        await Hub.here().subscribed(seconds=2)
        yield ": listening\n\n"
        while (left := ends_at - time.monotonic()) > 0:
            message = await stream.next(seconds=min(HEARTBEAT_SECONDS, left))
            yield f"data: {message}\n\n" if message else ": still here\n\n"
