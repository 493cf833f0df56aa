"""Tickets by the condition language, and by saved views, for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from people.models import Audience, Customer, Team, User
from tests.api.evidence import assert_problem, everything
from tests.conftest import make_ticket
from tickets.actions import assign_ticket, set_priority
from tickets.actor import Actor
from tickets.models import Priority, Ticket
from workspace.actions import ViewWish, create_view
from workspace.models import View

URL = "/api/v1/tickets/"
VIEWS = "/api/v1/views/"
URGENT = {"field": "priority", "operator": "is", "value": ["urgent"]}

Program = Callable[[User], APIClient]


@pytest.fixture
def work(chiara: Customer, orders: Team, billing: Team, ana: User) -> dict[str, Ticket]:
    made = {
        name: make_ticket(chiara, subject=name, team=team)
        for name, team in (("lamp", orders), ("sofa", orders), ("bill", billing))
    }
    for name in ("lamp", "bill"):
        set_priority(made[name], to=Priority.URGENT, actor=Actor.system())
    assign_ticket(made["sofa"], to=ana, actor=Actor.system())
    return made


def subjects(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["subject"] for row in response.json()["results"]]


def where(client: APIClient, condition: Any) -> Any:
    text = condition if isinstance(condition, str) else json.dumps(condition)
    return client.get(URL, {"where": text})


def test_a_condition_narrows_what_one_may_see(
    program: Program, ana: User, sara: User, work: dict[str, Ticket]
) -> None:
    assert subjects(where(program(ana), URGENT)) == ["lamp"]
    assert subjects(where(program(sara), URGENT)) == ["bill", "lamp"]
    mine = {"any": [{"field": "assignee", "operator": "is", "value": "me"}, {"all": [URGENT]}]}
    assert subjects(where(program(ana), mine)) == ["sofa", "lamp"]
    assert subjects(where(program(ana), {})) == ["sofa", "lamp"]


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "{",
        "[" * 3000,
        "1 OR 1=1",
        {"field": "access_key", "operator": "is", "value": "x"},
        {"field": "priority", "operator": "= 1 OR 1=1 --", "value": ["urgent"]},
        {"field": "priority", "operator": "is", "value": ["urgent' OR 1=1 --"]},
        {"field": "fields.x'; DROP TABLE tickets_ticket; --", "operator": "is", "value": "x"},
        {"field": "created_at", "operator": "in_last", "value": {"days) --": 1}},
        {"field": "subject", "operator": "contains", "value": "a\x00"},
    ],
)
def test_what_is_no_condition_is_refused_and_nothing_is_listed(
    api: APIClient, work: dict[str, Ticket], condition: Any
) -> None:
    before = everything()
    response = where(api, condition)
    if condition == "":
        # As with every filter: an empty one asks for nothing.
        assert subjects(response) == ["sofa", "lamp"]
    else:
        body = assert_problem(response, 400, "invalid")
        assert body["errors"][0]["pointer"].startswith("#/where")
        assert body["errors"][0]["detail"].endswith(".")
    assert everything() == before


@pytest.mark.parametrize("ordering", ["subject", "-created_at; --", "(SELECT 1)", "access_key"])
def test_an_order_is_one_of_those_that_are_named(api: APIClient, ordering: str) -> None:
    assert_problem(api.get(URL, {"ordering": ordering}), 400, "invalid")


def test_the_views_are_listed_that_one_may_see(
    program: Program, ana: User, luca: User, sara: User
) -> None:
    own = create_view(ViewWish("Mine", conditions=URGENT, columns=("team",)), owner=ana)
    shared = create_view(ViewWish("Ours", audience=Audience.EVERYONE), owner=sara)
    listed = program(ana).get(VIEWS).json()["results"]
    assert [one["id"] for one in listed] == [shared.pk, own.pk]
    assert listed[1]["conditions"] == {"all": [URGENT]}
    assert listed[1]["columns"] == ["team"]
    assert listed[1]["tickets_url"].endswith(f"{VIEWS}{own.pk}/tickets/")
    assert [one["id"] for one in program(luca).get(VIEWS).json()["results"]] == [shared.pk]
    assert_problem(APIClient().get(VIEWS), 401)
    assert_problem(program(ana).get(VIEWS, {"name": "x"}), 400, "invalid")


def test_a_view_lists_its_tickets_to_each_their_own(
    program: Program, ana: User, petra: User, sara: User, work: dict[str, Ticket]
) -> None:
    shared = create_view(
        ViewWish("Urgent", conditions=URGENT, audience=Audience.EVERYONE), owner=sara
    )
    own = f"{VIEWS}{shared.pk}/tickets/"
    assert subjects(program(ana).get(own)) == ["lamp"]
    assert subjects(program(petra).get(own)) == ["bill"]
    first = program(sara).get(own, {"page_size": 1})
    assert subjects(first) == ["bill"]
    assert subjects(program(sara).get(first.json()["next"])) == ["lamp"]


def test_a_view_that_is_not_mine_is_not_there(
    program: Program, ana: User, luca: User, work: dict[str, Ticket]
) -> None:
    view = create_view(ViewWish("Mine", conditions=URGENT), owner=ana)
    assert_problem(program(luca).get(f"{VIEWS}{view.pk}/tickets/"), 404)
    assert_problem(program(luca).get(f"{VIEWS}999999/tickets/"), 404)


def test_a_view_that_asks_for_what_is_gone_says_so(api: APIClient, ana: User) -> None:
    view = create_view(ViewWish("Mine"), owner=ana)
    gone = {"all": [{"field": "fields.order", "operator": "is_set"}]}
    View.objects.update(conditions=gone)
    body = assert_problem(api.get(f"{VIEWS}{view.pk}/tickets/"), 400, "invalid")
    assert "There is no field" in body["errors"][0]["detail"]
