"""A customer's values change in their place: by htmx one part, without JavaScript one page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.actions import (
    add_identity,
    change_customer,
    note_customer,
    recognise,
    set_attributes,
)
from people.models import Change, Customer, Identity, User
from people.models.customers import Organisation
from tests.at_once import at_once
from tickets.actions.customers import merge_customers
from tickets.models import Ticket

LogIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def value_url(customer: Customer, name: str) -> str:
    return reverse("desk_customer_value", args=[customer.pk, name])


def save(client: Client, customer: Customer, name: str, value: str, **more: Any) -> Any:
    """What the form of one value sends, as it was given out."""
    url = value_url(customer, name)
    form = client.get(url, headers=HTMX).context["form"]
    prefix = form.prefix
    data = {f"{prefix}-value": value, f"{prefix}-seen": form.initial["seen"], **more}
    return client.post(url, data, headers=HTMX)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("name", " Chiara  Conti ", "Chiara Conti"),
        ("tier", "vip", "vip"),
        ("language", "it", "it"),
        ("time_zone", "Europe/Rome", "Europe/Rome"),
        ("time_zone", "", ""),
        ("accepts_surveys", "no", False),
    ],
)
def test_each_value_changes_in_its_place_and_the_change_is_on_record(
    log_in: LogIn, ana: User, chiara: Customer, name: str, value: str, stored: object
) -> None:
    before = getattr(chiara, name)
    answer = save(log_in(ana), chiara, name, value)
    assert answer.status_code == 200
    html = answer.content.decode()
    assert html.strip().startswith(f'<dd id="customer-{name}"')
    assert "<form" not in html
    chiara.refresh_from_db()
    assert getattr(chiara, name) == stored
    if stored == before:
        assert not Change.objects.exists()
    else:
        change = Change.objects.get()
        assert (change.actor, change.subject_id) == (ana, chiara.pk)
        assert (change.before, change.after) == ({name: before}, {name: stored})


def test_an_organisation_is_chosen_by_its_name_whatever_the_case(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    firm = Organisation.objects.create(name="Bellini Srl")
    client = log_in(ana)
    save(client, chiara, "organisation", "bellini SRL")
    chiara.refresh_from_db()
    assert chiara.organisation == firm
    save(client, chiara, "organisation", "Another")
    chiara.refresh_from_db()
    assert str(chiara.organisation) == "Another"
    save(client, chiara, "organisation", "")
    chiara.refresh_from_db()
    assert chiara.organisation is None
    assert Organisation.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "  "), ("name", "x" * 161), ("tier", "gold"), ("time_zone", "Mars/Olympus")],
)
def test_a_wrong_value_is_refused_with_what_was_typed(
    log_in: LogIn, ana: User, chiara: Customer, name: str, value: str
) -> None:
    answer = save(log_in(ana), chiara, name, value)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'class="error"' in html
    if name == "name" and value.strip():
        assert value in html
    before = getattr(chiara, name)
    chiara.refresh_from_db()
    assert getattr(chiara, name) == before
    assert not Change.objects.exists()


@pytest.mark.parametrize("name", ["id", "merged_into", "created_at", "attributes", "email"])
def test_nothing_else_of_a_customer_is_a_value_that_can_be_changed(
    log_in: LogIn, ana: User, chiara: Customer, name: str
) -> None:
    client = log_in(ana)
    assert client.get(value_url(chiara, name)).status_code == 404
    assert client.post(value_url(chiara, name), {"value": "1"}).status_code == 404


def test_of_two_who_change_one_value_the_later_is_told_and_loses_nothing(
    log_in: LogIn, ana: User, luca: User, chiara: Customer
) -> None:
    client = log_in(ana)
    form = client.get(value_url(chiara, "name"), headers=HTMX).context["form"]
    change_customer(chiara, {"name": "By Luca"}, actor=luca)
    data = {"c-name-value": "By Ana", "c-name-seen": form.initial["seen"]}
    answer = client.post(value_url(chiara, "name"), data, headers=HTMX)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "By Luca" in html
    assert 'value="By Ana"' in html
    chiara.refresh_from_db()
    assert chiara.name == "By Luca"
    again = {**data, "c-name-seen": answer.context["form"].data["c-name-seen"]}
    assert client.post(value_url(chiara, "name"), again, headers=HTMX).status_code == 200
    chiara.refresh_from_db()
    assert chiara.name == "By Ana"


def test_another_value_that_changed_meanwhile_is_in_nobodys_way(
    log_in: LogIn, ana: User, luca: User, chiara: Customer
) -> None:
    client = log_in(ana)
    seen = client.get(value_url(chiara, "name"), headers=HTMX).context["form"].initial["seen"]
    change_customer(chiara, {"tier": "vip"}, actor=luca)
    data = {"c-name-value": "By Ana", "c-name-seen": seen}
    assert client.post(value_url(chiara, "name"), data, headers=HTMX).status_code == 200


def test_without_javascript_a_value_has_a_page_that_leads_back(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    client = log_in(ana)
    back = reverse("desk_ticket", args=[ticket.number])
    url = value_url(chiara, "tier") + f"?back={back}"
    html = client.get(url).content.decode()
    assert "<!doctype html>" in html
    assert f'name="back" value="{back}"' in html
    answer = client.post(url, {"c-tier-value": "vip", "back": back})
    assert answer["Location"] == back
    chiara.refresh_from_db()
    assert chiara.tier == "vip"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/desk/", "/desk/\\\\x", ""]
)
def test_a_form_leads_back_to_our_own_pages_only(
    log_in: LogIn, ana: User, chiara: Customer, back: str
) -> None:
    answer = log_in(ana).post(value_url(chiara, "tier"), {"c-tier-value": "vip", "back": back})
    assert "evil" not in answer["Location"]
    assert answer["Location"].startswith("/desk/")


def test_the_words_of_a_new_name_find_the_tickets(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    client = log_in(ana)
    save(client, chiara, "name", "Zenobia Quirinale")
    html = client.get(reverse("desk_search"), {"q": "quirinale"}).content.decode()
    assert ticket.subject in html


# -- Identities ----------------------------------------------------------------------------------


def add(client: Client, customer: Customer, kind: str, value: str) -> Any:
    url = reverse("desk_customer_identities", args=[customer.pk])
    data = {"c-identity-kind": kind, "c-identity-value": value}
    return client.post(url, data, headers=HTMX)


def act(client: Client, identity: Identity, what: str, **headers: Any) -> Any:
    url = reverse("desk_customer_identity", args=[identity.customer_id, identity.pk])
    return client.post(url, {"act": what}, headers=HTMX)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("email", " Chiara@Private.Example ", "chiara@private.example"),
        ("phone", "+39 (333) 123-45 67", "+393331234567"),
        ("external", "CRM-77", "CRM-77"),
    ],
)
def test_a_customer_is_known_by_more_and_more(
    log_in: LogIn, ana: User, chiara: Customer, kind: str, value: str, stored: str
) -> None:
    assert add(log_in(ana), chiara, kind, value).status_code == 200
    identity = chiara.identities.get(kind=kind, value=stored)
    assert list(chiara.identities.all()).index(identity) == 1
    assert Change.objects.get().after == {kind: stored}
    # Twice is once.
    assert add(log_in(ana), chiara, kind, value).status_code == 200
    assert chiara.identities.count() == 2


def test_a_number_without_a_country_is_one_of_the_customers_language(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    assert add(log_in(ana), chiara, "phone", "333 123 4567").status_code == 422
    change_customer(chiara, {"language": "it"}, actor=ana)
    assert add(log_in(ana), chiara, "phone", "333 123 4567").status_code == 200
    assert chiara.identities.filter(value="+393331234567").exists()


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("email", "chiara@", "does not look like an e-mail address"),
        ("email", "a@b.example\r\nBcc: x@y.example", "does not look like an e-mail address"),
        ("phone", "hello", "does not look like a phone number"),
        ("external", "x" * 201, "at most 200 characters"),
        ("external", " ", "Write an address"),
        ("role", "x", ""),
    ],
)
def test_what_is_no_identity_is_refused_and_stays_typed(
    log_in: LogIn, ana: User, chiara: Customer, kind: str, value: str, says: str
) -> None:
    answer = add(log_in(ana), chiara, kind, value)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert chiara.identities.count() == 1
    assert not Change.objects.exists()


def test_our_own_address_is_no_customers(
    log_in: LogIn, ana: User, chiara: Customer, settings: Any
) -> None:
    answer = add(log_in(ana), chiara, "email", settings.SUPPORT_ADDRESS.upper())
    assert answer.status_code == 422
    assert "our own address" in answer.content.decode()


def test_an_address_of_another_customer_leads_to_them(
    log_in: LogIn, ana: User, sara: User, chiara: Customer
) -> None:
    other = recognise(email="other@example.it", name="Other Person")
    html = add(log_in(ana), chiara, "email", "other@example.it").content.decode()
    assert "This is how we know Other Person." in html
    assert reverse("desk_customer", args=[other.pk]) in html
    assert "merge" not in html
    html = add(log_in(sara), chiara, "email", "other@example.it").content.decode()
    assert reverse("desk_customer_merge", args=[chiara.pk]) + f"?with={other.pk}" in html
    assert other.identities.count() == 1


def test_the_first_address_is_the_one_that_we_write_to(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    second = add_identity(chiara, kind="email", value="second@example.it", actor=ana)
    client = log_in(ana)
    assert act(client, second, "first").status_code == 200
    assert Customer.objects.get(pk=chiara.pk).email == "second@example.it"
    assert Change.objects.first()
    assert act(client, second, "first").status_code == 200


def test_an_identity_is_marked_as_surely_theirs_and_taken_away(
    log_in: LogIn, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    client, identity = log_in(ana), chiara.identities.get()
    act(client, identity, "verify")
    identity.refresh_from_db()
    assert identity.is_verified
    act(client, identity, "unverify")
    identity.refresh_from_db()
    assert not identity.is_verified
    act(client, identity, "remove")
    assert not chiara.identities.exists()
    assert ticket.conversations.get().identity is None
    last = Change.objects.order_by("-pk")[0]
    assert (last.before, last.after) == ({"email": "chiara@example.it"}, {"email": None})


def test_an_identity_of_another_customer_is_not_reached_through_this_one(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    other = recognise(email="other@example.it").identities.get()
    url = reverse("desk_customer_identity", args=[chiara.pk, other.pk])
    assert log_in(ana).post(url, {"act": "remove"}).status_code == 404
    other.refresh_from_db()


@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete"])
def test_looking_removes_nothing(log_in: LogIn, ana: User, chiara: Customer, verb: str) -> None:
    url = reverse("desk_customer_identity", args=[chiara.pk, chiara.identities.get().pk])
    assert getattr(log_in(ana), verb)(url).status_code == 405
    assert chiara.identities.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_address_given_to_two_customers_at_once_is_ones(ana: User, chiara: Customer) -> None:
    from people.actions import IdentityIsTaken

    other = recognise(email="other@example.it")
    results = at_once(
        lambda: add_identity(chiara, kind="email", value="new@example.it", actor=ana),
        lambda: add_identity(other, kind="email", value="new@example.it", actor=ana),
    )
    assert sorted(type(one) for one in results if not isinstance(one, Identity)) == [
        IdentityIsTaken
    ]
    assert Identity.objects.filter(value="new@example.it").count() == 1


# -- Attributes and notes ------------------------------------------------------------------------


def test_an_attribute_is_added_changed_renamed_and_taken_away(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    client = log_in(ana)
    url = reverse("desk_customer_attributes", args=[chiara.pk])

    def post(query: str, **data: str) -> None:
        sent = {f"c-attribute-{name}": text for name, text in data.items() if name != "act"}
        answer = client.post(url + query, sent | ({"act": data["act"]} if "act" in data else {}))
        assert answer.status_code == 302
        chiara.refresh_from_db()

    post("", key="City", value="Lecce")
    assert chiara.attributes == {"City": "Lecce"}
    post("?key=City", key="City", value="Bari")
    assert chiara.attributes == {"City": "Bari"}
    post("?key=City", key="Town", value="Bari")
    assert chiara.attributes == {"Town": "Bari"}
    post("?key=Town", act="remove")
    assert chiara.attributes == {}
    assert Change.objects.count() == 4


@pytest.mark.parametrize(
    ("key", "value"), [("", "x"), ("x", ""), ("x" * 61, "x"), ("x", "x" * 501)]
)
def test_an_attribute_needs_a_name_and_a_value(
    log_in: LogIn, ana: User, chiara: Customer, key: str, value: str
) -> None:
    url = reverse("desk_customer_attributes", args=[chiara.pk])
    data = {"c-attribute-key": key, "c-attribute-value": value}
    answer = log_in(ana).post(url, data, headers=HTMX)
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    chiara.refresh_from_db()
    assert chiara.attributes == {}


def test_who_changes_older_attributes_is_told(
    log_in: LogIn, ana: User, luca: User, chiara: Customer
) -> None:
    set_attributes(chiara, {"City": "Lecce"}, actor=luca)
    client = log_in(ana)
    url = reverse("desk_customer_attributes", args=[chiara.pk]) + "?key=City"
    seen = client.get(url, headers=HTMX).context["attribute_form"].initial["seen"]
    set_attributes(chiara, {"City": "Bari"}, actor=luca)
    data = {"c-attribute-key": "City", "c-attribute-value": "Roma", "c-attribute-seen": seen}
    answer = client.post(url, data, headers=HTMX)
    assert answer.status_code == 409
    assert "Roma" in answer.content.decode()
    chiara.refresh_from_db()
    assert chiara.attributes == {"City": "Bari"}


def test_a_note_is_its_authors_to_change_and_a_managers_to_remove(
    log_in: LogIn, ana: User, luca: User, sara: User, chiara: Customer
) -> None:
    client = log_in(ana)
    url = reverse("desk_customer_notes", args=[chiara.pk])
    assert client.post(url, {"c-note-text": "Calls\r\nat night"}).status_code == 302
    note = chiara.notes.get()
    assert (note.text, note.author) == ("Calls\nat night", ana)
    one = reverse("desk_customer_note", args=[chiara.pk, note.pk])
    for answer in (
        log_in(luca).post(one, {"c-note-text": "By Luca"}),
        log_in(luca).post(one, {"act": "remove"}),
        log_in(sara).post(one, {"c-note-text": "By Sara"}),
    ):
        assert answer.status_code == 404
    note.refresh_from_db()
    assert note.text == "Calls\nat night"
    client.post(one, {"c-note-text": "In the evening"})
    note.refresh_from_db()
    assert note.text == "In the evening"
    log_in(sara).post(one, {"act": "remove"})
    assert not chiara.notes.exists()
    assert Change.objects.order_by("-pk")[0].before == {"note": "In the evening"}


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4001])
def test_a_note_that_cannot_be_kept_stays_typed(
    log_in: LogIn, ana: User, chiara: Customer, text: str
) -> None:
    url = reverse("desk_customer_notes", args=[chiara.pk])
    answer = log_in(ana).post(url, {"c-note-text": text}, headers=HTMX)
    assert answer.status_code == 422
    assert text.strip() in answer.content.decode()
    assert not chiara.notes.exists()


def test_a_note_of_another_customer_is_not_reached_through_this_one(
    log_in: LogIn, ana: User, chiara: Customer
) -> None:
    other = note_customer(recognise(email="other@example.it"), text="Theirs", author=ana)
    url = reverse("desk_customer_note", args=[chiara.pk, other.pk])
    assert log_in(ana).post(url, {"act": "remove"}).status_code == 404
    other.refresh_from_db()


def test_every_part_of_a_merged_record_leads_to_the_one_that_stands(
    log_in: LogIn, ana: User, sara: User, chiara: Customer
) -> None:
    kept = recognise(email="kept@example.it", name="Kept")
    merge_customers(kept, chiara, actor=sara)
    client = log_in(ana)
    there = reverse("desk_customer", args=[kept.pk])
    for name, args in (
        ("desk_customer", []),
        ("desk_customer_write", []),
        ("desk_customer_notes", []),
        ("desk_customer_attributes", []),
        ("desk_customer_identities", []),
        ("desk_customer_value", ["name"]),
    ):
        url = reverse(name, args=[chiara.pk, *args])
        assert client.get(url)["Location"] == there
        if name != "desk_customer":
            late = client.post(url, {"c-name-value": "Late", "c-note-text": "x"}, headers=HTMX)
            assert (late.status_code, late["HX-Redirect"]) == (204, there)
    chiara.refresh_from_db()
    assert chiara.name == "Chiara Bellini"
    assert not kept.notes.exists()
