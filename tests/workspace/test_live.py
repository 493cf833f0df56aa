"""Hints of what changed: who gets them, what they say, and that nothing depends on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from django.utils import timezone

from people.models import Customer, Membership, Team, User
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import MessageDraft, assign_ticket, move_to_team, reply, set_priority
from tickets.actor import Actor
from tickets.models import Priority, Ticket
from workspace import hints
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


@asynccontextmanager
async def listening(client: AsyncClient) -> AsyncIterator[AsyncIterator[str]]:
    answer = await client.get(PATH, headers={"origin": "http://testserver"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["X-Accel-Buffering"] == "no"
    parts = aiter(answer.streaming_content)

    async def data() -> AsyncIterator[str]:
        async for part in parts:
            for line in part.decode().splitlines():
                if line.startswith("data: "):
                    yield line.removeprefix("data: ")

    assert await anext(parts) == b"retry: 3000\n\n"
    assert await anext(parts) == b": listening\n\n"
    yield data()
    await parts.aclose()  # type: ignore[attr-defined]


async def heard(stream: AsyncIterator[str], *, seconds: float = 5) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(await asyncio.wait_for(anext(stream), seconds))
    except (TimeoutError, StopAsyncIteration):
        return None
    return found


@pytest.mark.django_db(transaction=True)
def test_the_stream_tells_each_colleague_of_their_own_tickets(
    ana: User, petra: User, sara: User, chiara: Customer, orders: Team, billing: Team
) -> None:
    for_ana = make_ticket(chiara, team=orders)
    for_petra = make_ticket(chiara, team=billing)

    def change(ticket: Ticket, priority: Priority) -> None:
        set_priority(ticket, to=priority, actor=Actor.system())

    async def client_of(user: User) -> AsyncClient:
        client = AsyncClient()
        await client.aforce_login(user)
        return client

    @in_a_loop
    async def scene() -> dict[str, list[Any]]:
        clients = [await client_of(user) for user in (ana, petra, sara)]
        async with (
            listening(clients[0]) as anas,
            listening(clients[1]) as petras,
            listening(clients[2]) as saras,
        ):
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
    right = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr("workspace.views.live.HEARTBEAT_SECONDS", 0.1)

    @in_a_loop
    async def scene() -> tuple[bytes, dict[str, Any] | None]:
        client = AsyncClient()
        await client.aforce_login(ana)
        answer = await client.get(PATH)
        parts = aiter(answer.streaming_content)
        await anext(parts)
        beat = await anext(parts)
        settings.REDIS_URL = right
        async for part in parts:
            if part.startswith(b"data: "):
                break
        await parts.aclose()  # type: ignore[attr-defined]
        return beat, json.loads(part.removeprefix(b"data: "))

    beat, told = scene()
    assert beat.startswith(b": ")
    assert told == {"kind": "all"}
