from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from rest_framework.test import APIClient

from people.models import Customer, Team, User
from tests.api.evidence import assert_problem, everything, wrong
from tests.conftest import make_ticket
from tickets import clock
from tickets.actions import (
    FileDraft,
    MessageDraft,
    add_note,
    assign_ticket,
    reply,
    set_tags,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Attachment, Ticket

URL = "/api/v1/tickets/"
MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def numbers(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


def test_the_list_has_what_the_user_may_see_and_nothing_else(
    program: Callable[[User], APIClient],
    ana: User,
    petra: User,
    sara: User,
    ticket: Ticket,
    billing: Team,
    chiara: Customer,
) -> None:
    theirs = make_ticket(chiara, team=billing)
    nobodys = make_ticket(chiara)
    assert numbers(program(ana).get(URL)) == [nobodys.number, ticket.number]
    assert numbers(program(petra).get(URL)) == [nobodys.number, theirs.number]
    assert numbers(program(sara).get(URL)) == [nobodys.number, theirs.number, ticket.number]


def test_a_ticket_of_another_team_is_not_there_for_any_verb(
    program: Callable[[User], APIClient], ticket: Ticket, petra: User, ana: User
) -> None:
    file = FileDraft(name="a.txt", content=ContentFile(b"secret"))
    add_note(ticket, draft=MessageDraft(text="x", files=(file,)), author=ana)
    client, before = program(petra), everything()
    own = f"{URL}{ticket.number}/"
    for response in (
        client.get(own),
        client.get(f"{own}messages/"),
        client.post(f"{own}messages/", {"text": "Hello"}),
        client.post(f"{own}messages/", {"kind": "note", "text": "Hello"}),
        client.get(f"/api/v1/attachments/{Attachment.objects.get().key}/"),
    ):
        assert_problem(response, 404)
    assert everything() == before


@pytest.mark.parametrize("number", ["0", "999999999999999999", "1" * 19, "abc", "-1"])
def test_a_number_that_nothing_has_is_not_there(api: APIClient, number: str) -> None:
    assert api.get(f"{URL}{number}/").status_code == 404


def test_a_ticket_shows_its_messages_and_notes_in_order(
    api: APIClient, ticket: Ticket, ana: User
) -> None:
    reply(ticket, draft=MessageDraft(text="We send another."), author=ana)
    add_note(ticket, draft=MessageDraft(text="Second time."), author=ana)
    shown = api.get(f"{URL}{ticket.number}/").json()
    assert [(m["kind"], m["author"]["kind"], m["text"]) for m in shown["messages"]] == [
        ("inbound", "customer", "The glass is cracked along the base. Can you send another shade?"),
        ("outbound", "user", "We send another."),
        ("note", "user", "Second time."),
    ]
    assert shown["assignee"] == {"id": ana.pk, "name": "Ana Rusu"}
    assert shown["team"]["name"] == "Orders"
    assert shown["priority"] == "normal"
    listed = api.get(f"{URL}{ticket.number}/messages/").json()["results"]
    assert listed == shown["messages"]


def test_no_answer_holds_a_key_or_what_is_raw(api: APIClient, ticket: Ticket) -> None:
    for url in (URL, f"{URL}{ticket.number}/", f"{URL}{ticket.number}/messages/"):
        body = api.get(url).content.decode()
        assert ticket.access_key not in body
        assert ticket.conversations.get().reply_key not in body
        for name in ("access_key", "reply_key", "html_raw", "provenance", "password"):
            assert name not in body


def test_a_file_comes_as_a_download(api: APIClient, ticket: Ticket, ana: User) -> None:
    file = FileDraft(
        name="x.svg", content=ContentFile(b"<svg onload=x()>"), content_type="image/svg+xml"
    )
    add_note(ticket, draft=MessageDraft(text="", files=(file,)), author=ana)
    shown = api.get(f"{URL}{ticket.number}/").json()["messages"][-1]["attachments"][0]
    assert (shown["name"], shown["content_type"], shown["size"]) == ("x.svg", "image/svg+xml", 16)
    response = api.get(shown["url"])
    assert b"".join(response.streaming_content) == b"<svg onload=x()>"
    assert response["Content-Disposition"] == 'attachment; filename="x.svg"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def three(ticket: Ticket, chiara: Customer, orders: Team, ana: User) -> list[Ticket]:
    """A new one, a solved one with a tag, and an old one of Ana's."""
    solved = make_ticket(chiara, team=orders)
    set_tags(solved, to=["Glass"], actor=Actor.user(ana))
    solve_ticket(solved, actor=Actor.user(ana))
    with clock.at(MONDAY):
        old = make_ticket(chiara, team=orders)
    assign_ticket(old, to=ana, actor=Actor.user(ana))
    return [ticket, solved, old]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status_category=solved", [1]),
        ("status_category=solved&status_category=new", [1, 0, 2]),
        ("assignee={ana}", [2]),
        ("team={orders}", [1, 0, 2]),
        ("customer_email=CHIARA@example.it", [1, 0, 2]),
        ("customer_email=other@example.it", []),
        ("created_before=2026-03-02T09:30:01Z", [2]),
        ("created_before=2026-03-02T09:30:00Z", []),
        ("created_after=2026-03-02T09:30:01Z", [1, 0]),
        ("created_after=2026-03-02T09:30:00Z", [1, 0, 2]),
        ("tag=glass", [1]),
        ("tag=gl", []),
        ("ordering=created_at", [2, 0, 1]),
        ("status_category=new&assignee={ana}", [2]),
    ],
)
def test_a_list_can_be_narrowed(
    api: APIClient,
    three: list[Ticket],
    ana: User,
    orders: Team,
    query: str,
    expected: list[int],
) -> None:
    query = query.format(ana=ana.pk, orders=orders.pk)
    assert numbers(api.get(f"{URL}?{query}")) == [three[index].number for index in expected]


SQL = "1) OR 1=1; DROP TABLE tickets_ticket;--"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        (f"ordering={quote(SQL)}", "#/ordering"),
        ("ordering=customer__identities__value", "#/ordering"),
        ("ordering=-access_key", "#/ordering"),
        ("ordering=", "#/ordering"),
        ("access_key__startswith=a", "#/access_key__startswith"),
        ("customer__email=x", "#/customer__email"),
        (f"{quote(SQL)}=1", None),
        (f"team={quote(SQL)}", "#/team"),
        ("team=999999999999999999999999", "#/team"),
        ("assignee=1e400", "#/assignee"),
        ("assignee=%00", "#/assignee"),
        (f"status_category={quote(SQL)}", "#/status_category"),
        ("created_after=yesterday", "#/created_after"),
        ("created_before=99999-01-01", "#/created_before"),
        ("tag=%00", "#/tag"),
        ("customer_email=a%00", "#/customer_email"),
        ("cursor=banana", "#/cursor"),
        ("cursor=%C3%A9", "#/cursor"),
        ("cursor=", "#/cursor"),
        ("page_size=0", "#/page_size"),
        ("page_size=1000", "#/page_size"),
        ("page_size=-1", "#/page_size"),
        ("page_size=²", "#/page_size"),
        (f"page_size={'9' * 5000}", "#/page_size"),
    ],
)
def test_what_is_not_on_the_list_is_refused(
    api: APIClient, ticket: Ticket, query: str, pointer: str | None
) -> None:
    pointers = list(wrong(api.get(f"{URL}?{query}")))
    assert len(pointers) == 1
    assert pointer is None or pointers == [pointer]


@pytest.mark.parametrize("ordering", ["-created_at", "created_at"])
def test_pages_follow_each_other_without_gap_or_repetition(
    api: APIClient, chiara: Customer, orders: Team, ordering: str
) -> None:
    """Although four came at the same moment, and another comes while we read."""
    with clock.at(MONDAY):
        expected = [make_ticket(chiara, team=orders).number for _ in range(4)]
    with clock.at(MONDAY + timedelta(days=1)):
        expected.append(make_ticket(chiara, team=orders).number)
    if ordering == "-created_at":
        expected.reverse()
    url, seen = f"{URL}?page_size=2&ordering={ordering}", []
    while url:
        body = api.get(url).json()
        seen += [row["number"] for row in body["results"]]
        url = body["next"]
        if len(seen) == 2:
            moment = MONDAY + timedelta(days=2 if ordering == "-created_at" else -2)
            with clock.at(moment):
                make_ticket(chiara, team=orders)
    assert seen == expected


def test_the_last_page_says_so(api: APIClient, ticket: Ticket) -> None:
    assert api.get(f"{URL}?page_size=1").json()["next"] is None


def test_a_longer_list_costs_no_more_queries(
    api: APIClient, chiara: Customer, orders: Team, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        make_ticket(chiara, team=orders)
    with django_assert_max_num_queries(8) as few:
        api.get(URL)
    few_queries = len(few)
    for _ in range(6):
        make_ticket(chiara, team=orders)
    with django_assert_max_num_queries(few_queries):
        assert len(numbers(api.get(URL))) == 9


def test_a_longer_conversation_costs_no_more_queries(
    api: APIClient, ticket: Ticket, ana: User, django_assert_max_num_queries: Any
) -> None:
    url = f"{URL}{ticket.number}/"
    with django_assert_max_num_queries(10) as few:
        api.get(url)
    for number in range(5):
        reply(ticket, draft=MessageDraft(text=f"{number}"), author=ana)
    with django_assert_max_num_queries(len(few)):
        assert len(api.get(url).json()["messages"]) == 6
