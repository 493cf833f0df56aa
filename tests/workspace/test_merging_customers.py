"""Merging two customers on the desk: who may, what is shown before, and undoing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.actions import add_identity, change_customer, create_customer, recognise
from people.models import (
    Customer,
    CustomerMerge,
    CustomRole,
    Identity,
    Organisation,
    Permission,
    Role,
    Team,
    User,
)
from tests.conftest import make_ticket
from tickets.actions.customers import merge_customers
from tickets.models import Ticket

LogIn = Callable[[User], Client]


@pytest.fixture
def private(db: None) -> Customer:
    return recognise(email="chiara.b@private.example", name="C. Bellini", language="it")


def url_of(customer: Customer) -> str:
    return reverse("desk_customer_merge", args=[customer.pk])


def test_an_agent_without_the_permission_merges_and_undoes_nothing(
    log_in: LogIn, ana: User, sara: User, chiara: Customer, private: Customer
) -> None:
    client = log_in(ana)
    assert client.get(url_of(chiara)).status_code == 403
    assert client.post(url_of(chiara), {"with": private.pk}).status_code == 403
    private.refresh_from_db()
    assert private.merged_into is None
    merge = merge_customers(chiara, private, actor=sara)
    undo = reverse("desk_customer_unmerge", args=[merge.pk])
    assert client.post(undo).status_code == 403
    assert CustomerMerge.objects.standing().exists()
    page = client.get(reverse("desk_customer", args=[chiara.pk])).content.decode()
    assert url_of(chiara) not in page
    assert undo in page
    assert ">Undo<" not in page


def test_the_preview_shows_both_and_proposes_to_keep_who_has_more(
    log_in: LogIn, sara: User, chiara: Customer, private: Customer
) -> None:
    make_ticket(private)
    html = log_in(sara).get(url_of(chiara), {"with": private.pk}).content.decode()
    for text in ("Chiara Bellini", "C. Bellini", "chiara.b@private.example", "1 ticket"):
        assert text in html
    assert 'value="other" checked' in html
    assert "sees all the requests of both" in html
    private.refresh_from_db()
    assert private.merged_into is None


def test_the_preview_counts_only_tickets_that_the_reader_may_open(
    log_in: LogIn, ana: User, chiara: Customer, private: Customer, orders: Team, billing: Team
) -> None:
    ana.role, ana.custom_role = (
        Role.CUSTOM,
        CustomRole.objects.create(name="Records", permissions=[Permission.MERGE_CUSTOMERS]),
    )
    ana.save()
    make_ticket(chiara, team=orders)
    for _ in range(3):
        make_ticket(private, team=billing)
    html = log_in(ana).get(url_of(chiara), {"with": private.pk}).content.decode()
    assert "1 ticket " in html
    assert "0 tickets" in html
    assert "3 tickets" not in html
    assert 'value="other" checked' not in html


@pytest.mark.parametrize("keep", ["this", "other"])
def test_merged_one_page_stands_for_both_until_it_is_undone(
    log_in: LogIn, sara: User, chiara: Customer, private: Customer, keep: str
) -> None:
    client, tickets = log_in(sara), [make_ticket(chiara), make_ticket(private)]
    kept, absorbed = (chiara, private) if keep == "this" else (private, chiara)
    answer = client.post(url_of(chiara), {"with": private.pk, "keep": keep})
    there = reverse("desk_customer", args=[kept.pk])
    assert answer["Location"] == there
    assert client.get(reverse("desk_customer", args=[absorbed.pk]))["Location"] == there
    html = client.get(there).content.decode()
    for address in ("chiara@example.it", "chiara.b@private.example"):
        assert address in html
    assert {Ticket.objects.get(pk=one.pk).customer for one in tickets} == {kept}
    merge = CustomerMerge.objects.get()
    undone = client.post(reverse("desk_customer_unmerge", args=[merge.pk]))
    assert undone["Location"] == there
    assert [Ticket.objects.get(pk=one.pk).customer for one in tickets] == [chiara, private]
    assert client.get(reverse("desk_customer", args=[absorbed.pk])).status_code == 200


def test_who_comes_second_is_told_and_nothing_happens_twice(
    log_in: LogIn, sara: User, admin: User, chiara: Customer, private: Customer
) -> None:
    third = recognise(email="third@example.it", name="Third")
    merge_customers(third, private, actor=admin)
    answer = log_in(sara).post(url_of(chiara), {"with": private.pk, "keep": "this"})
    assert answer.status_code == 409
    assert "merged" in answer.content.decode()
    assert CustomerMerge.objects.count() == 1
    merge = CustomerMerge.objects.get()
    undo = reverse("desk_customer_unmerge", args=[merge.pk])
    client = log_in(sara)
    client.post(undo)
    again = client.post(undo, follow=True).content.decode()
    assert "taken the two apart already" in again


@pytest.mark.parametrize("other", ["", "0", "x", "9" * 30])
def test_a_record_that_does_not_exist_is_merged_with_nobody(
    log_in: LogIn, sara: User, chiara: Customer, other: str
) -> None:
    client = log_in(sara)
    assert client.post(url_of(chiara), {"with": other}).status_code == 404
    assert client.post(url_of(chiara), {"with": chiara.pk}).status_code == 404
    assert client.get(url_of(chiara), {"with": other}).status_code == 200
    assert client.post(reverse("desk_customer_unmerge", args=[0])).status_code == 404


def test_the_other_record_is_found_by_words(
    log_in: LogIn, sara: User, chiara: Customer, private: Customer
) -> None:
    found = log_in(sara).get(url_of(chiara), {"q": "bellini"}).context["found"]
    assert found == [private]


def test_who_may_be_the_same_person_is_suggested(
    log_in: LogIn, sara: User, ana: User, chiara: Customer, ticket: Ticket
) -> None:
    firm = Organisation.objects.create(name="Bellini Srl")
    twin = create_customer(name="chiara bellini", actor=ana, organisation=firm)
    stranger = create_customer(name="Chiara Bellini", actor=ana)
    colleague = create_customer(name="Somebody Else", actor=ana, organisation=firm)
    caller = create_customer(name="A caller", actor=ana)
    Identity.objects.create(customer=caller, kind="phone", value="3331234567")
    change_customer(chiara, {"organisation": firm}, actor=ana)
    add_identity(chiara, kind="phone", value="+39 333 123 4567", actor=ana)
    there = reverse("desk_customer_beside", args=[ticket.number])
    story: Any = log_in(sara).get(there, headers={"HX-Request": "1"})
    assert [one.pk for one in story.context["story"].alike] == [twin.pk, caller.pk]
    html = story.content.decode()
    assert f"{url_of(chiara)}?with={twin.pk}" in html
    assert stranger.pk != colleague.pk
