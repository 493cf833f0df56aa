"""A colleague's notifications for their own programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from people.models import Team, User
from tickets.actions import MessageDraft, add_note, assign_ticket, move_to_team
from tickets.actor import Actor
from tickets.models import Ticket
from workspace.models import Notification

URL = "/api/v1/notifications/"


@pytest.fixture
def told(ana: User, luca: User, ticket: Ticket) -> Ticket:
    """Luca mentions Ana and gives her the ticket."""
    draft = MessageDraft(text="@Ana can you call her?", mentions=(ana.pk,))
    add_note(ticket, draft=draft, author=luca)
    return assign_ticket(ticket, to=ana, actor=Actor.user(luca))


def unread() -> int:
    return Notification.objects.unread().count()


def test_one_reads_ones_own(api: APIClient, told: Ticket) -> None:
    assigned, mentioned = api.get(URL).json()["results"]
    assert mentioned == {
        "id": mentioned["id"],
        "kind": "mentioned",
        "ticket": {
            "number": told.number,
            "subject": told.subject,
            "url": f"http://testserver/api/v1/tickets/{told.number}/",
        },
        "by": "Luca Bassi",
        "excerpt": "@Ana can you call her?",
        "created_at": mentioned["created_at"],
        "read_at": None,
    }
    assert assigned["kind"] == "assigned"


def test_what_was_read_is_told_apart(api: APIClient, told: Ticket) -> None:
    assigned, mentioned = api.get(URL).json()["results"]
    answer = api.post(f"{URL}read/", {"ids": [mentioned["id"]]}, format="json")
    assert (answer.status_code, answer.json()) == (200, {"read": 1})
    assert [one["id"] for one in api.get(f"{URL}?unread=true").json()["results"]] == [
        assigned["id"]
    ]
    assert [one["id"] for one in api.get(f"{URL}?unread=false").json()["results"]] == [
        mentioned["id"]
    ]
    assert api.post(f"{URL}read/", {"all": True}, format="json").json() == {"read": 1}
    assert unread() == 0


def test_nobody_sees_or_reads_those_of_somebody_else(
    program: Callable[[User], APIClient], sara: User, told: Ticket
) -> None:
    client = program(sara)
    assert client.get(URL).json()["results"] == []
    ids = list(Notification.objects.values_list("pk", flat=True))
    assert client.post(f"{URL}read/", {"ids": ids}, format="json").json() == {"read": 0}
    assert client.post(f"{URL}read/", {"all": True}, format="json").json() == {"read": 0}
    assert unread() == 2
    assert APIClient().get(URL).status_code == 401
    assert APIClient().post(f"{URL}read/", {"all": True}, format="json").status_code == 401


def test_what_may_not_be_seen_any_more_is_not_there(
    api: APIClient, ana: User, told: Ticket, billing: Team
) -> None:
    assign_ticket(told, to=None, actor=Actor.system())
    move_to_team(told, to=billing, actor=Actor.system())
    assert api.get(URL).json()["results"] == []


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"all": False},
        {"ids": []},
        {"ids": [1], "all": True},
        {"ids": ["x"]},
        {"ids": [0]},
        {"all": True, "user": 1},
    ],
)
def test_what_is_not_clear_is_refused(api: APIClient, told: Ticket, given: dict[str, Any]) -> None:
    assert api.post(f"{URL}read/", given, format="json").status_code == 400
    assert unread() == 2


def test_asking_marks_nothing(api: APIClient, told: Ticket) -> None:
    assert api.get(f"{URL}read/").status_code == 405
    assert api.get(f"{URL}?read_at=1").status_code == 400
    assert unread() == 2
