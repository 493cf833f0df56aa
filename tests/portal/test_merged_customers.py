"""What customers see when their records are merged, and taken apart again."""

from __future__ import annotations

import pytest
from django.test import Client

from people.actions import recognise, remove_identity
from people.models import Customer, User
from tests.conftest import make_ticket
from tests.portal.test_logging_in_by_mail import mailed_link
from tickets.actions.customers import merge_customers, unmerge_customers
from tickets.models import Ticket

MINE = "/my/requests/"


@pytest.fixture
def private(db: None) -> Customer:
    return recognise(email="chiara.b@private.example", name="C. Bellini")


@pytest.fixture
def tickets(chiara: Customer, private: Customer) -> list[Ticket]:
    return [
        make_ticket(chiara, subject="Asked from work"),
        make_ticket(private, subject="Asked from home"),
    ]


def logged_in(address: str) -> Client:
    client = Client()
    client.post(mailed_link(address))
    return client


def subjects(client: Client) -> list[str]:
    html = client.get(MINE).content.decode()
    return [name for name in ("Asked from work", "Asked from home") if name in html]


def test_whoever_was_logged_in_before_the_merge_sees_all_that_is_theirs(
    chiara: Customer, private: Customer, tickets: list[Ticket], sara: User
) -> None:
    work, home = logged_in("chiara@example.it"), logged_in("chiara.b@private.example")
    assert (subjects(work), subjects(home)) == (["Asked from work"], ["Asked from home"])
    merge_customers(chiara, private, actor=sara)
    assert subjects(work) == subjects(home) == ["Asked from work", "Asked from home"]


def test_a_link_to_either_address_logs_in_to_the_one_record(
    chiara: Customer, private: Customer, tickets: list[Ticket], sara: User
) -> None:
    before = mailed_link("chiara.b@private.example")
    merge_customers(chiara, private, actor=sara)
    for link in (before, mailed_link("chiara.b@private.example")):
        client = Client()
        assert client.post(link)["Location"] == MINE
        assert subjects(client) == ["Asked from work", "Asked from home"]


def test_undone_nobody_sees_the_others_requests_any_more_however_they_logged_in(
    chiara: Customer, private: Customer, tickets: list[Ticket], sara: User
) -> None:
    merge = merge_customers(chiara, private, actor=sara)
    # During the wrong merge.
    stranger, owner = logged_in("chiara.b@private.example"), logged_in("chiara@example.it")
    assert len(subjects(stranger)) == 2
    unmerge_customers(merge, actor=sara)
    assert subjects(stranger) == ["Asked from home"]
    assert subjects(owner) == ["Asked from work"]


def test_whose_address_was_taken_away_is_logged_out(
    chiara: Customer, tickets: list[Ticket], sara: User
) -> None:
    client = logged_in("chiara@example.it")
    remove_identity(chiara.identities.get(), actor=sara)
    assert client.get(MINE)["Location"] == "/my/"


def test_a_private_link_goes_on_working(
    chiara: Customer, private: Customer, tickets: list[Ticket], sara: User
) -> None:
    link = f"/requests/{tickets[1].access_key}/"
    assert Client().get(link).status_code == 200
    merge_customers(chiara, private, actor=sara)
    assert Client().get(link).status_code == 200
