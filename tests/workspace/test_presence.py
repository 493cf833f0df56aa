"""Who is looking at a ticket, who is writing: who hears of it, and that nobody stays as a ghost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse

from people.models import Customer, Team, User
from tests.conftest import make_ticket
from tests.workspace.test_live import cookie_of, heard, in_a_loop, listening
from tickets.actions import move_to_team
from tickets.actor import Actor
from tickets.models import Ticket
from workspace import hints, presence
from workspace.hints import Listener, PresenceHint
from workspace.presence import Doing, open_by_others

LogIn = Callable[[User], Client]
PAGE = "a1b2c3d4e5f6"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[PresenceHint]:
    """The hints that were handed to Redis."""
    said: list[PresenceHint] = []
    monkeypatch.setattr("workspace.presence.publish", said.append)
    return said


def announce(
    client: Client, ticket: Ticket, doing: str = "looking", *, page: str = PAGE, **data: Any
) -> Any:
    return client.post(
        reverse("desk_announce", args=[ticket.number]), {"page": page, "doing": doing} | data
    )


def leave(client: Client, *, page: str = PAGE) -> Any:
    return client.post(reverse("desk_leave"), {"page": page})


def seen_by(client: Client) -> set[tuple[int, str, str]]:
    pages = client.get(reverse("desk_presence")).json()["pages"]
    return {(one["id"], one["name"], one["doing"]) for one in pages}


def test_colleagues_see_who_is_looking_and_who_is_writing(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    anas, lucas = log_in(ana), log_in(luca)
    assert announce(lucas, ticket).status_code == 204
    assert seen_by(anas) == {(ticket.number, "Luca Bassi", "looking")}
    announce(lucas, ticket, "reply")
    assert seen_by(anas) == {(ticket.number, "Luca Bassi", "reply")}
    announce(lucas, ticket, "note")
    assert seen_by(anas) == {(ticket.number, "Luca Bassi", "note")}
    assert seen_by(lucas) == set()
    assert leave(lucas).status_code == 204
    assert seen_by(anas) == set()


def test_a_page_shows_one_ticket_at_a_time(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, chiara: Customer, orders: Team
) -> None:
    other = make_ticket(chiara, team=orders)
    announce(log_in(luca), ticket)
    announce(log_in(luca), other)
    announce(log_in(luca), ticket, page="another-tab-1")
    assert open_by_others(ana) == {ticket.number, other.number}
    leave(log_in(luca), page="another-tab-1")
    assert open_by_others(ana) == {other.number}
    assert open_by_others(luca) == set()


def test_only_what_changes_is_told(
    log_in: LogIn,
    luca: User,
    ticket: Ticket,
    chiara: Customer,
    orders: Team,
    told: list[PresenceHint],
) -> None:
    other = make_ticket(chiara, team=orders)
    announce(log_in(luca), ticket)
    announce(log_in(luca), ticket)
    announce(log_in(luca), ticket, "reply")
    announce(log_in(luca), other)
    leave(log_in(luca))
    leave(log_in(luca))
    assert [(hint.number, hint.doing) for hint in told] == [
        (ticket.number, "looking"),
        (ticket.number, "reply"),
        (ticket.number, ""),
        (other.number, "looking"),
        (other.number, ""),
    ]
    assert {hint.name for hint in told} == {"Luca Bassi"}


# -- Who may hear of it ----------------------------------------------------------------------------


def test_nobody_is_at_a_ticket_that_they_may_not_see(
    log_in: LogIn, petra: User, ana: User, ticket: Ticket, told: list[PresenceHint]
) -> None:
    assert announce(log_in(petra), ticket).status_code == 404
    for method in ("get", "put", "patch", "delete"):
        answer = getattr(log_in(petra), method)(reverse("desk_announce", args=[ticket.number]))
        assert answer.status_code == 404
    assert announce(Client(), ticket).status_code == 302
    assert told == []
    assert open_by_others(ana) == set()


def test_nobody_hears_who_is_at_a_ticket_that_they_may_not_see(
    log_in: LogIn, ana: User, luca: User, petra: User, sara: User, ticket: Ticket
) -> None:
    announce(log_in(luca), ticket)
    assert seen_by(log_in(petra)) == set()
    assert seen_by(log_in(sara)) == seen_by(log_in(ana)) != set()
    assert Client().get(reverse("desk_presence")).status_code == 302


def test_a_hint_reaches_whoever_may_see_the_ticket_and_not_who_gave_it(
    log_in: LogIn,
    ana: User,
    luca: User,
    petra: User,
    sara: User,
    ticket: Ticket,
    told: list[PresenceHint],
) -> None:
    announce(log_in(luca), ticket)
    (hint,) = told
    assert hints.parse(str(hint)) == hint
    assert [bool(Listener.of(user).told(hint)) for user in (ana, luca, petra, sara)] == [
        True,
        False,
        False,
        True,
    ]


def test_when_a_ticket_moves_its_new_team_hears_who_is_there_and_the_old_one_does_not(
    log_in: LogIn,
    ana: User,
    petra: User,
    sara: User,
    ticket: Ticket,
    billing: Team,
    told: list[PresenceHint],
) -> None:
    announce(log_in(sara), ticket)
    move_to_team(ticket, to=billing, actor=Actor.user(sara))
    announce(log_in(sara), ticket)
    assert Listener.of(petra).told(told[-1])
    assert not Listener.of(ana).told(told[-1])
    assert seen_by(log_in(ana)) == set()


def test_nobody_speaks_for_a_page_of_somebody_else(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket
) -> None:
    announce(log_in(luca), ticket)
    leave(log_in(ana))
    assert open_by_others(ana) == {ticket.number}
    announce(log_in(ana), ticket, "reply")
    assert seen_by(log_in(ana)) == {(ticket.number, "Luca Bassi", "looking")}


@pytest.mark.parametrize(
    "data",
    [{"doing": ""}, {"doing": "sleeping"}, {"page": ""}, {"page": "x" * 41}, {"page": "a b"}],
)
def test_what_no_page_of_ours_says_is_refused(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, data: dict[str, str]
) -> None:
    given = {"page": PAGE, "doing": "looking"} | data
    answer = log_in(luca).post(reverse("desk_announce", args=[ticket.number]), given)
    assert answer.status_code == 422
    assert open_by_others(ana) == set()


def test_asking_changes_nothing(log_in: LogIn, ana: User, luca: User, ticket: Ticket) -> None:
    announce(log_in(luca), ticket)
    url = reverse("desk_announce", args=[ticket.number])
    assert log_in(luca).get(url, {"page": PAGE, "doing": "reply"}).status_code == 405
    assert log_in(luca).get(reverse("desk_leave"), {"page": PAGE}).status_code == 405
    assert seen_by(log_in(ana)) == {(ticket.number, "Luca Bassi", "looking")}


def test_a_form_of_somebody_elses_page_is_refused(ana: User, luca: User, ticket: Ticket) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(luca)
    assert announce(client, ticket).status_code == 403
    assert open_by_others(ana) == set()


# -- Nobody stays as a ghost ----------------------------------------------------------------------


def test_a_page_that_nobody_vouches_for_is_forgotten(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(log_in(luca), ticket)
    now = time.time() + presence.LASTS_SECONDS + 1
    monkeypatch.setattr("workspace.presence.time.time", lambda: now)
    assert open_by_others(ana) == set()
    assert seen_by(log_in(ana)) == set()


def test_without_redis_everything_works_and_nobody_is_anywhere(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Any:
        raise ConnectionError("Redis is gone")

    monkeypatch.setattr(hints, "_redis", gone)
    monkeypatch.setattr(hints, "_silent_until", 0.0)
    assert announce(log_in(luca), ticket).status_code == 204
    assert leave(log_in(luca)).status_code == 204
    assert seen_by(log_in(ana)) == set()
    assert open_by_others(ana) == set()
    assert log_in(ana).get(reverse("desk_ticket", args=[ticket.number])).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_stream_keeps_its_page_and_a_lost_one_is_told_as_gone(
    ana: User, luca: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace.hub.EXPIRE_SECONDS", 0.05)
    monkeypatch.setattr("workspace.hub.VOUCH_SECONDS", 0.0)
    monkeypatch.setattr("workspace.presence.GRACE_SECONDS", 0.3)
    cookies = [cookie_of(user) for user in (ana, luca)]

    @in_a_loop
    async def scene() -> list[Any]:
        async with listening(cookies[0]) as anas:
            async with listening(cookies[1], page=PAGE):
                # Remembered for less than it takes to vouch for it: only the stream keeps it.
                monkeypatch.setattr("workspace.presence.LASTS_SECONDS", 0.4)
                await sync_to_async(presence.announce)(
                    luca, ticket, page=PAGE, doing=Doing.REPLYING
                )
                came = await heard(anas)
                await asyncio.sleep(0.6)
                stays = await sync_to_async(open_by_others)(ana)
            return [came, stays, await heard(anas)]

    came, stays, went = scene()
    assert came == {
        "kind": "presence",
        "id": ticket.number,
        "page": PAGE,
        "user": luca.pk,
        "name": "Luca Bassi",
        "doing": "reply",
    }
    assert stays == {ticket.number}
    assert went == came | {"doing": ""}
    assert open_by_others(ana) == set()


@pytest.mark.django_db(transaction=True)
def test_no_stream_vouches_for_a_page_of_somebody_else(
    ana: User, luca: User, sara: User, ticket: Ticket
) -> None:
    presence.announce(luca, ticket, page=PAGE, doing=Doing.LOOKING)
    before = hints.with_redis(
        lambda redis: redis.zrange(presence.until_key(), 0, -1, withscores=True), []
    )
    cookie = cookie_of(sara)

    @in_a_loop
    async def scene() -> None:
        async with listening(cookie, page=PAGE):
            pass

    scene()
    after = hints.with_redis(
        lambda redis: redis.zrange(presence.until_key(), 0, -1, withscores=True), []
    )
    assert before == after != []
