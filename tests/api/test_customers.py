"""Customers by API: read, written down, changed by name, and told about."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from people.actions import add_identity, recognise
from people.models import Change, Customer, CustomerNote, Identity, Touchpoint, User
from tests.api.evidence import assert_problem, everything, wrong
from tests.at_once import at_once
from tickets.actions.customers import merge_customers

URL = "/api/v1/customers/"


def of(customer: Customer, rest: str = "") -> str:
    return f"{URL}{customer.pk}/{rest}"


@pytest.fixture
def known(chiara: Customer, ana: User) -> Customer:
    """Chiara, whom the shop calls C-4711 and the CRM 99."""
    add_identity(chiara, kind="external", value="C-4711", actor=ana)
    add_identity(chiara, kind="external", value="99", actor=ana)
    return chiara


@pytest.mark.parametrize("key", ["C-4711", "external:C-4711", "external:99"])
def test_a_customer_is_named_by_our_id_or_by_the_programs_own(
    api: APIClient, known: Customer, key: str
) -> None:
    by_key, by_id = api.get(f"{URL}{key}/"), api.get(of(known))
    assert by_key.status_code == by_id.status_code == 200
    assert by_key.json() == by_id.json()
    assert by_id.json()["name"] == "Chiara Bellini"
    assert by_id.json()["identities"][0] == {
        "kind": "email",
        "value": "chiara@example.it",
        "is_verified": False,
    }


@pytest.mark.parametrize("key", ["0", "99", "nobody", "external:", "%00", "9" * 30])
def test_whoever_is_not_known_is_not_found(api: APIClient, known: Customer, key: str) -> None:
    for rest in ("", "touchpoints/", "notes/"):
        assert_problem(api.get(f"{URL}{key}/{rest}"), 404)


@pytest.mark.parametrize(
    "query",
    [
        {"email": "CHIARA@example.it"},
        {"phone": "+39 333 123 4567"},
        {"external_id": "C-4711"},
        {"tier": "standard", "email": "chiara@example.it"},
    ],
)
def test_the_list_is_narrowed_by_what_is_named(
    api: APIClient, known: Customer, ana: User, query: dict[str, str]
) -> None:
    add_identity(known, kind="phone", value="+39 333 1234567", actor=ana)
    recognise(email="other@example.it")
    found = api.get(URL, query).json()["results"]
    assert [one["id"] for one in found] == [known.pk]


def test_an_unknown_filter_is_refused_by_name(api: APIClient, chiara: Customer) -> None:
    assert wrong(api.get(URL, {"role": "x"})) == {"#/role": "There is no such filter."}


def test_a_customer_is_written_down_with_what_is_known_of_them(api: APIClient) -> None:
    response = api.post(
        URL,
        {
            "name": "Dario Fermi",
            "language": "it",
            "tier": "vip",
            "time_zone": "Europe/Rome",
            "organisation": "Fermi Srl",
            "attributes": {"Plan": "gold", "Orders": 3, "Newsletter": True},
            "identities": [
                {"kind": "email", "value": "Dario@Fermi.example"},
                {"kind": "phone", "value": "+39 06 6982"},
            ],
        },
        format="json",
    )
    assert response.status_code == 201, response.content
    customer = Customer.objects.get()
    assert response["Location"].endswith(of(customer))
    assert response.json() == api.get(of(customer)).json()
    assert [one.value for one in customer.identities.all()] == ["dario@fermi.example", "+39066982"]
    assert customer.organisation is not None
    assert (customer.organisation.name, customer.tier) == ("Fermi Srl", "vip")
    assert customer.attributes == {"Plan": "gold", "Orders": 3, "Newsletter": True}


def test_who_is_known_already_is_not_written_down_twice(api: APIClient, known: Customer) -> None:
    before = everything()
    identities = [{"kind": "external", "value": "NEW"}, {"kind": "external", "value": "C-4711"}]
    response = api.post(URL, {"name": "Twice", "identities": identities}, format="json")
    problem = assert_problem(response, 409, "is-anothers")
    assert str(known.pk) in problem["detail"]
    assert everything() == before


def test_only_what_is_named_changes(api: APIClient, known: Customer, ana: User) -> None:
    known.attributes = {"Plan": "silver", "Old": "x"}
    known.save()
    response = api.patch(
        of(known),
        {"tier": "plus", "attributes": {"Plan": "gold", "Old": None}},
        format="json",
    )
    assert response.status_code == 200, response.content
    known.refresh_from_db()
    assert (known.name, known.tier, known.attributes) == (
        "Chiara Bellini",
        "plus",
        {"Plan": "gold"},
    )
    tier, attributes = Change.objects.order_by("-pk")[:2][::-1]
    assert (tier.actor, tier.before, tier.after) == (ana, {"tier": "standard"}, {"tier": "plus"})
    assert attributes.after == {"Plan": "gold"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 1),
        ("role", "administrator"),
        ("merged_into", 1),
        ("identities", []),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("is_staff", True),
        ("password", "x"),
        ("tickets", []),
    ],
)
def test_what_is_not_a_programs_to_change_is_refused_by_name(
    api: APIClient, known: Customer, name: str, value: object
) -> None:
    before = everything()
    response = api.patch(of(known), {"name": "Changed", name: value}, format="json")
    assert wrong(response) == {f"#/{name}": "There is no such field."}
    assert everything() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "\u200b"),
        ("name", "x" * 161),
        ("tier", "gold"),
        ("language", "xx"),
        ("time_zone", "../../etc/passwd"),
        ("attributes", []),
        ("attributes", {"a": {"b": 1}}),
        ("attributes", {"": "x"}),
        ("attributes", {"a": "x" * 501}),
        ("attributes", {f"a{i}": "x" for i in range(51)}),
    ],
)
def test_a_wrong_value_changes_nothing(
    api: APIClient, known: Customer, name: str, value: object
) -> None:
    before = everything()
    response = api.patch(of(known), {"accepts_surveys": False, name: value}, format="json")
    assert any(pointer.startswith(f"#/{name}") for pointer in wrong(response))
    assert everything() == before


def test_names_are_kept_as_one_line_of_text(api: APIClient, known: Customer) -> None:
    api.patch(of(known), {"name": "Ch\r\niara\u202e <img src=x onerror=alert(1)>"}, format="json")
    known.refresh_from_db()
    assert known.name == "Ch iara <img src=x onerror=alert(1)>"


ORDER = {
    "kind": "bought",
    "name": "Order 55-1188",
    "source": "shop",
    "external_id": "55-1188",
    "occurred_at": "2026-10-01T10:00:00Z",
    "data": {"Total": 129.9},
}


def test_the_same_thing_told_twice_is_one_touchpoint(api: APIClient, known: Customer) -> None:
    first = api.post(f"{URL}C-4711/touchpoints/", ORDER, format="json")
    again = api.post(f"{URL}C-4711/touchpoints/", {**ORDER, "name": "Other"}, format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    touchpoint = Touchpoint.objects.get()
    assert (touchpoint.customer, touchpoint.stage) == (known, "purchase")
    assert api.get(of(known, "touchpoints/")).json()["results"] == [first.json()]


def test_one_sources_ids_are_not_anothers(api: APIClient, known: Customer) -> None:
    for source in ("shop", "crm"):
        api.post(of(known, "touchpoints/"), {**ORDER, "source": source}, format="json")
    api.post(of(known, "touchpoints/"), {"kind": "saw", "name": "A lamp"}, format="json")
    api.post(of(known, "touchpoints/"), {"kind": "saw", "name": "A lamp"}, format="json")
    assert Touchpoint.objects.count() == 4


def test_an_id_that_was_told_of_another_customer_is_refused(
    api: APIClient, known: Customer
) -> None:
    other = recognise(email="other@example.it")
    api.post(of(known, "touchpoints/"), ORDER, format="json")
    assert_problem(api.post(of(other, "touchpoints/"), ORDER, format="json"), 409, "is-anothers")
    assert Touchpoint.objects.get().customer == known


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_of_one_touchpoint_at_once_make_one(
    api: APIClient, known: Customer
) -> None:
    answers = at_once(
        *[lambda: api.post(of(known, "touchpoints/"), ORDER, format="json") for _ in range(8)]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize(
    "wrongly",
    [
        {"kind": "exploded"},
        {"stage": "love"},
        {"name": " "},
        {"occurred_at": "yesterday"},
        {"source": "", "external_id": "1"},
        {"customer": 1},
        {"data": {"a": [1]}},
    ],
)
def test_a_touchpoint_that_is_not_right_is_refused(
    api: APIClient, known: Customer, wrongly: dict[str, Any]
) -> None:
    assert wrong(api.post(of(known, "touchpoints/"), ORDER | wrongly, format="json"))
    assert Touchpoint.objects.count() == 0


def test_a_note_is_written_by_whose_token_it_is(api: APIClient, known: Customer, ana: User) -> None:
    response = api.post(of(known, "notes/"), {"text": "Calls at night"}, format="json")
    assert response.status_code == 201
    assert CustomerNote.objects.get().author == ana
    assert api.get(of(known, "notes/")).json()["results"] == [response.json()]
    refused = api.post(of(known, "notes/"), {"text": "x", "author": "Luca"}, format="json")
    assert wrong(refused) == {"#/author": "There is no such field."}
    assert CustomerNote.objects.count() == 1


def test_a_merged_record_is_answered_with_the_one_that_stands_for_it(
    api: APIClient, known: Customer, sara: User
) -> None:
    kept = recognise(email="kept@example.it", name="Kept")
    merge_customers(kept, known, actor=sara)
    for key in (str(known.pk), "C-4711"):
        assert api.get(f"{URL}{key}/").json()["id"] == kept.pk
        api.post(f"{URL}{key}/touchpoints/", {"kind": "saw", "name": key}, format="json")
    assert kept.touchpoints.count() == 2
    assert [one["id"] for one in api.get(URL).json()["results"]] == [kept.pk]
    assert Identity.objects.filter(customer=known).count() == 0


@pytest.mark.parametrize("verb", ["get", "post", "patch", "put", "delete"])
def test_nobody_gets_in_without_a_token(chiara: Customer, verb: str) -> None:
    before = everything()
    for address in (URL, of(chiara), of(chiara, "touchpoints/"), of(chiara, "notes/")):
        assert_problem(getattr(APIClient(), verb)(address, {}), 401)
    assert everything() == before
