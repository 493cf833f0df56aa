"""Programs merge, split, link, snooze, date, follow and time tickets, and write down calls."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from people.models import Customer, Team, User
from tests.api.evidence import assert_problem, everything
from tests.conftest import make_ticket
from tests.tickets.evidence import fresh
from tickets.actions import MessageDraft, add_note
from tickets.models import Follower, Ticket, TicketLink, TimeEntry


@pytest.fixture
def second(chiara: Customer, orders: Team, ticket: Ticket) -> Ticket:
    return make_ticket(chiara, subject="Lamp again", text="Any news?", team=orders)


@pytest.fixture
def foreign(chiara: Customer, billing: Team) -> Ticket:
    return make_ticket(chiara, subject="Secret invoice", team=billing)


def url(ticket: Ticket, what: str) -> str:
    return f"/api/v1/tickets/{ticket.number}/{what}/"


def test_merging_and_taking_it_back(api: APIClient, ticket: Ticket, second: Ticket) -> None:
    given = {"into": ticket.number, "version": fresh(second).version}
    response = api.post(url(second, "merge"), given, format="json")
    assert response.status_code == 200, response.content
    assert response.json()["number"] == ticket.number
    shown = api.get(f"/api/v1/tickets/{second.number}/").json()
    assert (shown["merged_into"], shown["status"]["category"]) == (ticket.number, "closed")
    response = api.delete(url(second, "merge"))
    assert response.json()["merged_into"] is None
    assert_problem(api.delete(url(second, "merge")), 409, "refused")


def test_splitting(api: APIClient, ticket: Ticket, ana: User, foreign: Ticket) -> None:
    note = add_note(ticket, draft=MessageDraft(text="Else"), author=ana)
    before = everything()
    for messages in ([note.pk, foreign.messages.get().pk], [10**17]):
        response = api.post(url(ticket, "split"), {"messages": messages}, format="json")
        assert_problem(response, 404)
    assert everything() == before
    given = {"messages": [note.pk], "subject": "Something else"}
    response = api.post(url(ticket, "split"), given, format="json")
    assert response.status_code == 201, response.content
    new = Ticket.objects.get(number=response.json()["number"])
    assert (new.subject, new.messages.get()) == ("Something else", note)


@pytest.mark.parametrize("kind", ["related", "duplicate", "incident", "problem"])
def test_linking(api: APIClient, ticket: Ticket, second: Ticket, kind: str) -> None:
    response = api.post(url(ticket, "links"), {"to": second.number, "kind": kind}, format="json")
    assert response.status_code == 201, response.content
    shown = {key: response.json()[key] for key in ("to", "kind")}
    assert shown == {"to": second.number, "kind": kind}
    (there,) = api.get(url(second, "links")).json()
    turned = {"duplicate": "duplicated_by", "incident": "problem", "problem": "incident"}
    assert there["kind"] == turned.get(kind, kind)
    assert api.delete(url(ticket, f"links/{second.number}")).status_code == 204
    assert not TicketLink.objects.exists()


def test_snoozing_and_dating(api: APIClient, ticket: Ticket) -> None:
    response = api.put(url(ticket, "snooze"), {"until": None}, format="json")
    assert response.json()["snoozed_at"]
    assert api.delete(url(ticket, "snooze")).json()["snoozed_at"] is None
    past = api.put(url(ticket, "snooze"), {"until": "2020-01-01T10:00Z"}, format="json")
    assert_problem(past, 409, "refused")
    response = api.put(url(ticket, "due"), {"at": "2030-01-01T10:00Z"}, format="json")
    assert response.json()["due_at"].startswith("2030-01-01T")
    assert api.delete(url(ticket, "due")).json()["due_at"] is None


def test_following_timing_and_calling(api: APIClient, ticket: Ticket, ana: User) -> None:
    assert api.put(url(ticket, "follow")).status_code == 204
    assert Follower.objects.get().user == ana
    assert api.delete(url(ticket, "follow")).status_code == 204
    assert not Follower.objects.exists()
    given = {"seconds": 600, "note": "Looked"}
    assert api.post(url(ticket, "time"), given, format="json").status_code == 201
    assert api.get(url(ticket, "time")).json()[0]["seconds"] == 600
    given = {"outcome": "resolved", "duration_seconds": 60, "text": "Fine", "then": "solved"}
    response = api.post(url(ticket, "calls"), given, format="json")
    assert response.status_code == 201, response.content
    assert api.get(url(ticket, "calls")).json() == [response.json()]
    assert fresh(ticket).status_category == "solved"


def doings(ticket: Ticket, other: Ticket) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        ("post", url(ticket, "merge"), {"into": other.number}),
        ("delete", url(ticket, "merge"), {}),
        ("post", url(ticket, "split"), {"messages": [1]}),
        ("get", url(ticket, "links"), {}),
        ("post", url(ticket, "links"), {"to": other.number, "kind": "related"}),
        ("delete", url(ticket, f"links/{other.number}"), {}),
        ("put", url(ticket, "snooze"), {"until": None}),
        ("delete", url(ticket, "snooze"), {}),
        ("put", url(ticket, "due"), {"at": "2030-01-01T10:00Z"}),
        ("delete", url(ticket, "due"), {}),
        ("put", url(ticket, "follow"), {}),
        ("delete", url(ticket, "follow"), {}),
        ("get", url(ticket, "time"), {}),
        ("post", url(ticket, "time"), {"seconds": 60}),
        ("get", url(ticket, "calls"), {}),
        ("post", url(ticket, "calls"), {"outcome": "answered"}),
    ]


def test_what_one_may_not_see_is_not_there_for_any_verb(
    api: APIClient, ticket: Ticket, foreign: Ticket
) -> None:
    before = everything()
    for verb, path, given in doings(foreign, ticket):
        assert_problem(getattr(api, verb)(path, given, format="json"), 404)
    # Nor is the other ticket.
    for verb, path, given in doings(ticket, foreign):
        if str(foreign.number) in f"{path}{given}":
            assert_problem(getattr(api, verb)(path, given, format="json"), 404)
    assert everything() == before
    assert not TimeEntry.objects.exists()


def test_nobody_comes_in_without_a_token(ticket: Ticket, second: Ticket) -> None:
    for verb, path, given in doings(ticket, second):
        assert_problem(getattr(APIClient(), verb)(path, given, format="json"), 401)


def test_an_unknown_field_and_an_old_version_are_refused(
    api: APIClient, ticket: Ticket, second: Ticket, luca: User
) -> None:
    before = everything()
    given = {"until": None, "assignee": 1}
    assert_problem(api.put(url(ticket, "snooze"), given, format="json"), 400, "invalid")
    assert everything() == before
    version = fresh(ticket).version
    add_note(ticket, draft=MessageDraft(text="New"), author=luca)
    before = everything()
    given = {"into": second.number, "version": version}
    response = api.post(url(ticket, "merge"), given, format="json")
    assert_problem(response, 409, "ticket-has-changed")
    assert everything() == before
