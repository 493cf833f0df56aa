from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from people.models import Customer, Team, User
from tests.api.evidence import assert_problem, everything, wrong
from tickets.models import Category, Ticket

URL = "/api/v1/tickets/"


def request(**changes: Any) -> dict[str, Any]:
    return {
        "customer": {"email": "Mara@Example.org", "name": "Mara Ionescu", "language": "ro"},
        "subject": "Cracked shade",
        "message": "It is cracked.",
        **changes,
    }


@pytest.fixture
def refund(orders: Team) -> Category:
    money = Category.objects.create(name="Billing", names={"it": "Fatture"}, team=orders)
    return Category.objects.create(name="Refund", parent=money, team=orders)


def test_a_request_becomes_a_triaged_ticket(
    api: APIClient, refund: Category, ana: User, orders: Team
) -> None:
    response = api.post(URL, request(category="billing > Refund"))
    assert response.status_code == 201, response.content
    shown = response.json()
    ticket = Ticket.objects.get(number=shown["number"])
    assert response["Location"] == shown["url"] == f"http://testserver{URL}{ticket.number}/"
    assert (ticket.channel, ticket.subject, ticket.language) == ("api", "Cracked shade", "ro")
    assert (ticket.category, ticket.team) == (refund, orders)
    assert ticket.customer.name == "Mara Ionescu"
    assert ticket.customer.identities.get().value == "mara@example.org"
    message = ticket.messages.get()
    assert (message.text, message.kind) == ("It is cracked.", "inbound")
    assert message.provenance["api_user"] == ana.pk
    assert shown["category"] == {"id": refund.pk, "path": "Billing › Refund"}
    assert shown["status"] == {"name": "New", "category": "new"}
    assert shown["customer"]["email"] == "mara@example.org"
    assert shown["version"] == ticket.version


def test_the_least_that_must_be_said_is_who_and_what(api: APIClient) -> None:
    response = api.post(URL, {"customer": {"email": "mara@example.org"}, "message": "Help me"})
    assert response.status_code == 201, response.content
    assert response.json()["subject"] == "Help me"


def test_a_known_customer_is_recognised(api: APIClient, chiara: Customer) -> None:
    response = api.post(URL, request(customer={"email": " CHIARA@example.it ", "name": "Evil"}))
    assert response.json()["customer"]["id"] == chiara.pk
    assert Customer.objects.get() == chiara
    assert Customer.objects.get().name == "Chiara Bellini"


@pytest.mark.parametrize("by", ["id", "path"])
def test_a_category_is_named_by_id_or_path(api: APIClient, refund: Category, by: str) -> None:
    category = refund.pk if by == "id" else "Billing › Refund"
    assert api.post(URL, request(category=category)).json()["category"]["id"] == refund.pk


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"customer": {"email": "nobody"}}, "#/customer/email"),
        ({"customer": {"name": "Mara"}}, "#/customer/email"),
        ({"customer": "mara@example.org"}, "#/customer"),
        ({"customer": {"email": "m@example.org", "language": "tlh"}}, "#/customer/language"),
        ({"customer": {"email": "m@example.org", "name": "x" * 161}}, "#/customer/name"),
        ({"customer": {"email": "m@example.org\x00"}}, "#/customer/email"),
        ({"customer": {"email": settings.SUPPORT_ADDRESS}}, "#/customer/email"),
        ({"customer": {"email": "m@example.org", "name": "a\x00b"}}, "#/customer/name"),
        ({"message": ""}, "#/message"),
        ({"message": "a\x00b"}, "#/message"),
        ({"message": ["It is cracked."]}, "#/message"),
        ({"message": "x" * 100_001}, "#/message"),
        ({"subject": "x" * 301}, "#/subject"),
        ({"category": "Gardening"}, "#/category"),
        ({"category": "Refund"}, "#/category"),
        ({"category": 10**30}, "#/category"),
        ({"category": True}, "#/category"),
        ({"category": None}, "#/category"),
        ({"category": {"id": 1}}, "#/category"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    api: APIClient, refund: Category, changes: dict[str, Any], pointer: str
) -> None:
    before = everything()
    assert list(wrong(api.post(URL, request(**changes)))) == [pointer]
    assert everything() == before


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"id": 1, "number": 5}, {"#/id", "#/number"}),
        ({"status": "solved"}, {"#/status"}),
        ({"team": 1, "assignee": 1}, {"#/team", "#/assignee"}),
        ({"channel": "email"}, {"#/channel"}),
        ({"customer": {"email": "m@example.org", "tier": "vip"}}, {"#/customer/tier"}),
        ({"customer": {"email": "m@example.org", "id": 1}}, {"#/customer/id"}),
        ({"a/b~c": 1}, {"#/a~1b~0c"}),
    ],
)
def test_a_field_that_nobody_may_set_is_refused_by_name(
    api: APIClient, changes: dict[str, Any], pointers: set[str]
) -> None:
    before = everything()
    assert set(wrong(api.post(URL, request(**changes)))) == pointers
    assert everything() == before


@pytest.mark.parametrize("body", [b"[1, 2]", b'"text"', b"{", b"\xff", b""])
def test_what_is_no_object_is_refused(api: APIClient, body: bytes) -> None:
    before = everything()
    response = api.generic("POST", URL, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert everything() == before


def test_a_form_is_not_json(api: APIClient) -> None:
    response = api.generic("POST", URL, b"<ticket/>", content_type="application/xml")
    assert_problem(response, 415)


def test_the_same_key_again_opens_no_second_ticket(api: APIClient) -> None:
    first = api.post(URL, request(), headers={"Idempotency-Key": "order-1"})
    before = everything()
    second = api.post(URL, request(), headers={"Idempotency-Key": "order-1"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert everything() == before
    third = api.post(URL, request(), headers={"Idempotency-Key": "order-2"})
    assert third.json()["number"] != first.json()["number"]


def test_a_key_names_one_request(api: APIClient) -> None:
    api.post(URL, request(), headers={"Idempotency-Key": "order-1"})
    before = everything()
    for other in (request(message="Another"), request(customer={"email": "else@example.org"})):
        again = api.post(URL, other, headers={"Idempotency-Key": "order-1"})
        assert_problem(again, 422, "idempotency-key-was-used")
        assert everything() == before


def test_what_cannot_be_stored_does_not_make_another_request(api: APIClient) -> None:
    for status in (201, 200):
        sent = request(message="It is\x01 cracked.")
        response = api.post(URL, sent, headers={"Idempotency-Key": "order-1"})
        assert response.status_code == status, response.content


def test_a_ticket_that_left_the_sender_is_not_shown_again(
    api: APIClient, refund: Category, billing: Team
) -> None:
    first = api.post(URL, request(category=refund.pk), headers={"Idempotency-Key": "order-1"})
    assert "subject" in first.json()
    Ticket.objects.update(team=billing, subject="Theirs")
    again = api.post(URL, request(category=refund.pk), headers={"Idempotency-Key": "order-1"})
    assert again.status_code == 200
    assert again.json() == {"number": first.json()["number"], "message": "It is cracked."}
    assert "Location" not in again


def test_what_triage_gives_to_others_is_answered_with_a_receipt(
    api: APIClient, refund: Category, billing: Team
) -> None:
    Category.objects.update(team=billing)
    response = api.post(URL, request(category=refund.pk))
    assert response.status_code == 201
    assert response.json() == {"number": Ticket.objects.get().number, "message": "It is cracked."}


@pytest.mark.parametrize("start", ["[", '{"customer":'])
def test_what_is_nested_too_deeply_is_refused(api: APIClient, start: str) -> None:
    api.raise_request_exception = False
    before = everything()
    response = api.generic("POST", URL, start * 50_000, content_type="application/json")
    assert_problem(response, 400, "about:blank")
    assert everything() == before


@pytest.mark.parametrize("nothing", ["\x01", "\u200b", " \u200b\x02\n"])
def test_a_message_that_shows_nothing_is_none(api: APIClient, nothing: str) -> None:
    before = everything()
    assert list(wrong(api.post(URL, request(message=nothing)))) == ["#/message"]
    assert everything() == before


def test_two_users_keys_do_not_meet(
    program: Callable[[User], APIClient], ana: User, petra: User
) -> None:
    for user in (ana, petra):
        response = program(user).post(URL, request(), headers={"Idempotency-Key": "1"})
        assert response.status_code == 201


@pytest.mark.parametrize("key", ["", "  ", "x" * 256])
def test_a_key_has_a_sensible_length(api: APIClient, key: str) -> None:
    before = everything()
    response = api.post(URL, request(), headers={"Idempotency-Key": key})
    assert list(wrong(response)) == ["#/Idempotency-Key"]
    assert everything() == before


def test_what_looks_like_markup_stays_text(api: APIClient) -> None:
    sent = "<img src=x onerror=alert(1)> {{ settings.SECRET_KEY }}"
    response = api.post(URL, request(message=sent, subject=sent))
    ticket = Ticket.objects.get(number=response.json()["number"])
    assert response.json()["subject"] == sent
    assert "<img" not in ticket.messages.get().html
    assert response["Content-Type"] == "application/json"
