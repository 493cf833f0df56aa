"""The live stream of a page: server-sent events that say what to look at again.

It stands beside Django's request cycle, not in it: there each open page would hold a thread, and a
database connection with it, for as long as it is open.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse

from people.models import User
from workspace.hints import Listener
from workspace.hub import Hub

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

log = structlog.get_logger(__name__)

PATH = "/desk/live/"
#: How a page calls itself: random, so that no two are mistaken for one.
PAGE_NAME = re.compile(r"[A-Za-z0-9-]{8,40}")
#: A comment now and then tells proxies and the browser that the stream lives.
HEARTBEAT_SECONDS = 20.0
#: Then the page comes again, so that whoever was logged out or moved to another team is noticed.
LONGEST_SECONDS = 600.0
#: A lost cancelling is said again after so long.
CANCEL_AGAIN_SECONDS = 0.5


def with_live_streams(pages: Application) -> Application:
    """An ASGI application that serves the live streams itself and hands on everything else."""

    async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await _serve(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return application


def unavailable(request: HttpRequest) -> HttpResponse:
    """What stands at the stream's address where pages are served by WSGI, which cannot stream."""
    answer = admit(request)
    status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(answer, Listener) else answer
    return HttpResponse(status=status)


def admit(request: HttpRequest) -> Listener | HTTPStatus:
    """Who listens; or 405, 403 for a page of somebody else's, 401 without a log-in."""
    if request.method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED
    if not _comes_from_our_page(request):
        return HTTPStatus.FORBIDDEN
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        return HTTPStatus.UNAUTHORIZED
    return Listener.of(user)


def _comes_from_our_page(request: HttpRequest) -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.get_host()


def _admit_alone(request: HttpRequest) -> Listener | HTTPStatus:
    """`admit` without the middleware, leaving no database connection behind."""
    sessions = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    try:
        return admit(request)
    except DisallowedHost:
        return HTTPStatus.BAD_REQUEST
    except DatabaseError as error:
        log.warning("live_stream_not_admitted", error=str(error))
        return HTTPStatus.SERVICE_UNAVAILABLE
    finally:
        connections.close_all()


async def _serve(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    async with ThreadSensitiveContext():
        answer = await sync_to_async(_admit_alone)(ASGIRequest(scope, BytesIO()))
    if not isinstance(answer, Listener):
        headers = [(b"content-length", b"0"), (b"allow", b"GET")]
        await send({"type": "http.response.start", "status": answer.value, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store, no-transform"),
        (b"x-content-type-options", b"nosniff"),
        # Tells nginx and those who follow it to pass each event on at once.
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    telling = asyncio.create_task(_tell(answer, send, page=_page(scope)))
    leaving = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(telling, leaving)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel the tasks, again where it was lost: what libraries await with a time limit may forget
    it, and the stream of a page that was left would go on for minutes."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _ended, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


def _page(scope: Mapping[str, Any]) -> str:
    (name,) = parse_qs(scope["query_string"].decode("latin-1")).get("page", [""])[:1]
    return name if PAGE_NAME.fullmatch(name) else ""


async def _tell(listener: Listener, send: Send, *, page: str) -> None:
    async def say(text: str, *, more: bool = True) -> None:
        await send({"type": "http.response.body", "body": text.encode(), "more_body": more})

    ends_at = time.monotonic() + LONGEST_SECONDS
    async with Hub.here().stream(listener, page) as stream:
        await say("retry: 3000\n\n")
        await Hub.here().subscribed(seconds=2)
        # From here on nothing is missed: now the page fetches what it must know whole.
        await say("event: listening\ndata: {}\n\n")
        while (left := ends_at - time.monotonic()) > 0:
            message = await stream.next(seconds=min(HEARTBEAT_SECONDS, left))
            await say(f"data: {message}\n\n" if message else ": still here\n\n")
    await say("", more=False)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
