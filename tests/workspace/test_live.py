"""Hints of what changed: who gets them, what they say, and that nothing depends on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections
from django.test import Client
from django.utils import timezone

from helpdesk.asgi import application
from people.models import Customer, Membership, Team, User
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import MessageDraft, assign_ticket, move_to_team, reply, set_priority
from tickets.actor import Actor
from tickets.models import Priority, Ticket
from workspace import hints, live
from workspace.hints import Hint, Listener
from workspace.hub import MOST_WAITING, Hub, Stream

LogIn = Callable[[User], Client]
PATH = "/desk/live/"


def in_a_loop(scene: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Any]:
    """Play an asynchronous scene in a thread of its own: this one may have the browser's loop."""

    async def play() -> Any:
        try:
            return await scene()
        finally:
            await sync_to_async(connections.close_all)()

    def run() -> Any:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, play()).result()

    return run


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Hint]:
    """The hints that were handed to Redis."""
    told: list[Hint] = []
    monkeypatch.setattr("workspace.reactions.publish", told.append)
    return told


# -- What is published ---------------------------------------------------------------------------


def test_a_change_is_hinted_at_once_it_is_committed(
    ana: User,
    ticket: Ticket,
    published: list[Hint],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        assign_ticket(ticket, to=ana, actor=Actor.user(ana))
    assert published == []
    for callback in callbacks:
        callback()
    assert {hint.number for hint in published} == {ticket.number}
    assert published[0].assignees == {ana.pk}
    assert published[0].assignees_before == frozenset()


def test_a_hint_says_nothing_of_what_was_written(
    ana: User,
    ticket: Ticket,
    published: list[Hint],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        reply(ticket, draft=MessageDraft(text="Confidential words"), author=ana)
    assert published
    for hint in published:
        assert "Confidential" not in str(hint)
        assert "Lamp" not in str(hint)
        assert Hint.parse(str(hint)) == hint
        told = json.loads(Listener.of(ana).told(hint))
        assert told == {"kind": "ticket", "id": ticket.number}


def test_history_that_is_written_for_the_record_is_not_hinted_at(
    ticket: Ticket,
    published: list[Hint],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with (
        django_capture_on_commit_callbacks(execute=True),
        clock.at(timezone.now() - timedelta(days=3)),
    ):
        set_priority(ticket, to=Priority.HIGH, actor=Actor.system())
    assert published == []


def test_a_change_succeeds_without_redis_and_waits_for_it_once(
    log_in: LogIn,
    ana: User,
    ticket: Ticket,
    settings: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []

    class Gone:
        def publish(self, *args: object) -> None:
            tried.append("publish")
            raise ConnectionError("Redis is gone")

    monkeypatch.setattr(hints, "_redis", Gone)
    monkeypatch.setattr(hints, "_silent_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        for priority in ("high", "low", "urgent"):
            ticket.refresh_from_db()
            answer = log_in(ana).post(
                f"/desk/tickets/{ticket.number}/properties/",
                {"property": "priority", "value": priority, "seen": ticket.version},
            )
            assert answer.status_code == 302
    ticket.refresh_from_db()
    assert ticket.priority == Priority.URGENT
    assert tried == ["publish"]


# -- Who may hear what ---------------------------------------------------------------------------


def test_a_listener_hears_of_exactly_the_tickets_that_they_may_see(
    ana: User,
    luca: User,
    petra: User,
    sara: User,
    admin: User,
    chiara: Customer,
    orders: Team,
    billing: Team,
) -> None:
    nowhere = Team.objects.create(name="Nowhere")
    Membership.objects.create(team=billing, user=luca)
    for team in (None, orders, billing, nowhere):
        for assignee in (None, ana, petra):
            ticket = make_ticket(chiara)
            Ticket.objects.filter(pk=ticket.pk).update(team=team, assignee=assignee)
            hint = Hint(
                ticket.number,
                teams=frozenset([team.pk if team else None]),
                assignees=frozenset([assignee.pk] if assignee else []),
            )
            for user in (ana, luca, petra, sara, admin):
                may_see = Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()
                assert bool(Listener.of(user).told(hint)) is may_see, (team, assignee, user)


def test_whoever_loses_a_ticket_hears_only_that_their_lists_changed(
    ana: User,
    petra: User,
    sara: User,
    ticket: Ticket,
    billing: Team,
    published: list[Hint],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        move_to_team(ticket, to=billing, actor=Actor.user(sara))
    (hint,) = published
    assert json.loads(Listener.of(ana).told(hint)) == {"kind": "lists"}
    assert json.loads(Listener.of(petra).told(hint)) == {"kind": "ticket", "id": ticket.number}


def test_a_page_that_reads_too_slowly_is_told_once_to_look_at_everything() -> None:
    @in_a_loop
    async def read() -> list[str | None]:
        stream = Stream(Listener(1, is_manager=True, teams=frozenset()))
        for number in range(MOST_WAITING + 1):
            stream.put(str(number))
        return [await stream.next(seconds=0.01), await stream.next(seconds=0.01)]

    assert read() == ['{"kind": "all"}', None]


def test_a_page_that_is_left_in_the_moment_of_a_hint_is_left() -> None:
    @in_a_loop
    async def leave() -> list[int]:
        stayed = []
        for turns in range(5):
            stream = Stream(Listener(1, is_manager=True, teams=frozenset()))
            reading = asyncio.create_task(stream.next(seconds=5))
            await asyncio.sleep(0)
            stream.put("one")
            for _ in range(turns):
                await asyncio.sleep(0)
            is_left = reading.cancel()
            await asyncio.wait({reading})
            if is_left and not reading.cancelled():
                stayed.append(turns)
        return stayed

    assert leave() == []


def test_a_stream_ends_though_its_cancelling_was_lost_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "CANCEL_AGAIN_SECONDS", 0.01)

    async def forgetful() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    @in_a_loop
    async def leave() -> bool:
        task = asyncio.create_task(forgetful())
        await asyncio.sleep(0)
        await asyncio.wait_for(live.end(task), 5)
        return task.cancelled()

    assert leave()


# -- The stream ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_page_of_somebody_elses_gets_no_stream(
    log_in: LogIn, sara: User, headers: dict[str, str]
) -> None:
    answer = log_in(sara).get(PATH, headers=headers)
    assert answer.status_code == 403
    assert answer.content == b""


def test_nobody_listens_without_logging_in(client: Client, db: None) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 401
    assert "Location" not in answer


def test_somebody_who_was_switched_off_does_not_listen(log_in: LogIn, ana: User) -> None:
    client = log_in(ana)
    ana.is_active = False
    ana.save()
    assert client.get(PATH).status_code == 401


def test_the_stream_is_only_read(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).post(PATH).status_code == 405


def test_where_only_pages_are_served_the_stream_says_so(log_in: LogIn, ana: User) -> None:
    assert log_in(ana).get(PATH, headers={"origin": "http://testserver"}).status_code == 503


def cookie_of(user: User) -> bytes:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}".encode()


def asked(
    *headers: tuple[bytes, bytes], method: str = "GET", page: str = ""
) -> ApplicationCommunicator:
    """A request to the application as the server hands it over."""
    scope = {
        "type": "http",
        "method": method,
        "path": PATH,
        "query_string": f"page={page}".encode(),
        "headers": [(b"host", b"testserver"), *headers],
    }
    return ApplicationCommunicator(application, scope)


@asynccontextmanager
async def listening(cookie: bytes, page: str = "") -> AsyncIterator[AsyncIterator[str]]:
    stream = asked((b"cookie", cookie), (b"origin", b"http://testserver"), page=page)
    await stream.send_input({"type": "http.request", "body": b""})
    start = await stream.receive_output(10)
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-type"] == b"text/event-stream"
    assert dict(start["headers"])[b"x-accel-buffering"] == b"no"

    async def lines() -> AsyncIterator[str]:
        while True:
            part = await stream.receive_output(10)
            for line in part["body"].decode().splitlines():
                if line:
                    yield line

    said = lines()
    assert await anext(said) == "retry: 3000"
    yield said
    await stream.send_input({"type": "http.disconnect"})
    await stream.wait(10)


async def heard(stream: AsyncIterator[str]) -> Any:
    """The next hint."""
    async for line in stream:
        if line.startswith("data: ") and line != "data: {}":
            return json.loads(line.removeprefix("data: "))
    return None


@pytest.mark.django_db(transaction=True)
def test_the_streaming_server_lets_nobody_else_in(ana: User, sara: User) -> None:
    cookie = (b"cookie", cookie_of(sara))
    gone = (b"cookie", cookie_of(ana))
    ana.is_active = False
    ana.save()

    @in_a_loop
    async def scene() -> list[int]:
        statuses = []
        for request in (
            asked(),
            asked((b"cookie", b"sessionid=guessed")),
            asked(gone),
            asked(cookie, (b"origin", b"https://evil.example")),
            asked(cookie, (b"origin", b"null")),
            asked(cookie, (b"sec-fetch-site", b"cross-site")),
            asked(cookie, method="POST"),
        ):
            await request.send_input({"type": "http.request", "body": b""})
            start = await request.receive_output(10)
            body = await request.receive_output(10)
            assert body["body"] == b""
            statuses.append(start["status"])
        return statuses

    assert scene() == [401, 401, 401, 403, 403, 403, 405]


@pytest.mark.django_db(transaction=True)
def test_an_open_stream_holds_no_connection_to_the_database(sara: User) -> None:
    cookie = cookie_of(sara)

    def connected() -> int:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            row = cursor.fetchone()
        return int(row[0])

    before = connected()

    @in_a_loop
    async def scene() -> None:
        async with listening(cookie), listening(cookie), listening(cookie):
            connections_now.append(await sync_to_async(connected)())

    connections_now: list[int] = []
    scene()
    # The one that asks stands in a thread of its own.
    assert connections_now[0] <= before + 1


@pytest.mark.django_db(transaction=True)
def test_the_stream_tells_each_colleague_of_their_own_tickets(
    ana: User, petra: User, sara: User, chiara: Customer, orders: Team, billing: Team
) -> None:
    for_ana = make_ticket(chiara, team=orders)
    for_petra = make_ticket(chiara, team=billing)

    def change(ticket: Ticket, priority: Priority) -> None:
        set_priority(ticket, to=priority, actor=Actor.system())

    cookies = [cookie_of(user) for user in (ana, petra, sara)]

    @in_a_loop
    async def scene() -> dict[str, list[Any]]:
        async with (
            listening(cookies[0]) as anas,
            listening(cookies[1]) as petras,
            listening(cookies[2]) as saras,
        ):
            for stream in (anas, petras, saras):
                assert await anext(stream) == "event: listening"
            await sync_to_async(change)(for_petra, Priority.HIGH)
            await sync_to_async(change)(for_ana, Priority.HIGH)
            return {
                "ana": [await heard(anas)],
                "petra": [await heard(petras)],
                "sara": [await heard(saras), await heard(saras)],
            }

    assert scene() == {
        "ana": [{"kind": "ticket", "id": for_ana.number}],
        "petra": [{"kind": "ticket", "id": for_petra.number}],
        "sara": [
            {"kind": "ticket", "id": for_petra.number},
            {"kind": "ticket", "id": for_ana.number},
        ],
    }


def test_all_streams_of_a_process_share_one_subscription_that_ends_with_the_last() -> None:
    @in_a_loop
    async def scene() -> list[bool]:
        hub, listener = Hub.here(), Listener(1, is_manager=True, teams=frozenset())
        async with hub.stream(listener):
            first = hub._listening
            async with hub.stream(listener):
                is_shared = first is not None and hub._listening is first
            goes_on = hub._listening is first
        return [is_shared, goes_on, hub._listening is None, Hub.here() is hub]

    assert scene() == [True, True, True, True]


@pytest.mark.django_db(transaction=True)
def test_a_stream_lives_without_redis_and_says_so_when_it_is_back(
    ana: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, cookie = settings.REDIS_URL, cookie_of(ana)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("workspace.live.HEARTBEAT_SECONDS", 0.1)

    @in_a_loop
    async def scene() -> list[Any]:
        async with listening(cookie) as stream:
            beats = [await anext(stream), await anext(stream), await anext(stream)]
            settings.REDIS_URL = right
            return [*beats, await heard(stream)]

    assert scene() == ["event: listening", "data: {}", ": still here", {"kind": "all"}]
