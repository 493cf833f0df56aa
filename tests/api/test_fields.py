"""The company's own fields through the API: read, handed in, changed, refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from people.models import User
from tests.api.evidence import assert_problem, everything
from tickets.models import Category, CategoryField, CustomField, FieldKind, Ticket


@pytest.fixture(autouse=True)
def _fields(db: None) -> None:
    CustomField.objects.create(key="order", name="Order", kind=FieldKind.TEXT)
    CustomField.objects.create(key="pieces", name="Pieces", kind=FieldKind.NUMBER)


@pytest.fixture
def url(ticket: Ticket) -> str:
    return f"/api/v1/tickets/{ticket.number}/fields/"


def test_fields_are_changed_and_read(api: APIClient, url: str, ticket: Ticket) -> None:
    given = {"fields": {"order": "55-1188", "pieces": 2}, "version": ticket.version}
    response = api.patch(url, given, format="json")
    assert response.status_code == 200, response.content
    assert response.json()["fields"] == {"order": "55-1188", "pieces": 2}
    api.patch(url, {"fields": {"pieces": None}}, format="json")
    shown = api.get(f"/api/v1/tickets/{ticket.number}/").json()
    assert shown["fields"] == {"order": "55-1188"}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"fields": {"pieces": "many"}}, "#/fields/pieces"),
        ({"fields": {"order": "1", "access_key": "x"}}, "#/fields/access_key"),
        ({"fields": {"order": ["x"]}}, "#/fields/order"),
        ({"fields": "order"}, "#/fields"),
        ({"fields": {}, "team": 1}, "#/team"),
        ({}, "#/fields"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    api: APIClient, url: str, given: dict[str, Any], pointer: str
) -> None:
    before = everything()
    response = api.patch(url, given, format="json")
    assert_problem(response, 400, "invalid")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert everything() == before


def test_a_stale_version_and_another_teams_ticket_change_nothing(
    api: APIClient, program: Callable[[User], APIClient], petra: User, url: str
) -> None:
    before = everything()
    given = {"fields": {"order": "1"}}
    assert_problem(
        api.patch(url, {**given, "version": 1}, format="json"), 409, "ticket-has-changed"
    )
    assert_problem(program(petra).patch(url, given, format="json"), 404)
    assert everything() == before


def test_a_request_is_handed_in_with_fields(api: APIClient) -> None:
    request = {"customer": {"email": "a@b.example"}, "message": "Broken", "fields": {"order": "7"}}
    response = api.post("/api/v1/tickets/", request, format="json")
    assert response.status_code == 201, response.content
    assert Ticket.objects.latest("pk").fields == {"order": "7"}
    before = everything()
    request["fields"] = {"pieces": "x"}
    response = api.post("/api/v1/tickets/", request, format="json")
    assert_problem(response, 400, "invalid")
    assert everything() == before


def test_a_reply_that_would_solve_what_lacks_a_field_is_not_sent(
    api: APIClient, ticket: Ticket
) -> None:
    category = Category.objects.create(name="Damage")
    needed = CustomField.objects.get(key="order")
    CategoryField.objects.create(category=category, field=needed, is_required=True)
    Ticket.objects.filter(pk=ticket.pk).update(category=category)
    before = everything()
    given = {"text": "Done", "then": "solved"}
    response = api.post(f"/api/v1/tickets/{ticket.number}/messages/", given, format="json")
    assert_problem(response, 409, "fields-are-missing")
    assert response.json()["fields"] == ["order"]
    assert everything() == before
