"""The steps of work on a ticket as pages: what they ask and do, and for whom they are not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from people.actions import create_api_token, recognise
from people.models import Company, Customer, Team, User
from tests.conftest import make_ticket
from tests.tickets.evidence import everything_of, fresh, kinds
from tickets.actions import (
    MessageDraft,
    add_note,
    close_ticket,
    link_tickets,
    merge_tickets,
    move_to_team,
    receive_reply,
    snooze_ticket,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Call, HeldMessage, LinkKind, Merge, Ticket, TicketLink

LogIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def url(name: str, ticket: Ticket, *more: int) -> str:
    return reverse(name, args=[ticket.number, *more])


@pytest.fixture
def second(chiara: Customer, orders: Team, ticket: Ticket) -> Ticket:
    return make_ticket(chiara, subject="Lamp again", text="Any news of my lamp?", team=orders)


@pytest.fixture
def foreign(chiara: Customer, billing: Team) -> Ticket:
    """Of a team that Ana is not on."""
    return make_ticket(chiara, subject="Secret invoice", team=billing)


STEPS = ["merge", "split", "link", "incidents", "requester", "snooze", "due", "subject"]
STEPS += ["time", "call"]


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_a_page_and_a_dialog(
    log_in: LogIn, ana: User, ticket: Ticket, step: str
) -> None:
    client = log_in(ana)
    page = client.get(url(f"desk_{step}", ticket))
    assert page.status_code == 200
    assert "<!doctype html>" in page.content.decode().lower()
    dialog = client.get(url(f"desk_{step}", ticket), headers=HTMX).content.decode()
    assert "<html" not in dialog
    assert 'id="step-title"' in dialog


# -- Row 17: nothing of tickets that are not theirs ------------------------------------------------


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_a_ticket_of_another_team_is_not_there(
    log_in: LogIn, petra: User, ticket: Ticket, second: Ticket, verb: str
) -> None:
    client = log_in(petra)
    link_tickets(ticket, to=second, kind=LinkKind.RELATED, actor=Actor.system())
    paths = [url(f"desk_{step}", ticket) for step in [*STEPS, "unmerge", "follow", "measured"]]
    paths.append(url("desk_unlink", ticket, second.number))
    before = everything_of(ticket)
    data = {"seen": fresh(ticket).version, "follow": "1", "seconds": "60", "until": "reply"}
    for path in paths:
        answer = getattr(client, verb)(path, data if verb in ("get", "post") else None)
        assert answer.status_code == 404, path
    assert everything_of(ticket) == before


def test_the_other_ticket_of_a_merge_or_link_is_as_hidden(
    log_in: LogIn, ana: User, ticket: Ticket, foreign: Ticket
) -> None:
    client = log_in(ana)
    before, there = everything_of(ticket), everything_of(foreign)
    seen = {"seen": fresh(ticket).version}
    number = foreign.number
    for path, data in (
        (url("desk_merge", ticket), {"into": number, "seen_into": 2, **seen}),
        (url("desk_link", ticket), {"to": number, "kind": "related", **seen}),
    ):
        assert client.post(path, data).status_code == 404
        name = "into" if "merge" in path else "to"
        assert client.get(path, {name: number}).status_code == 404
        for words in (str(number), "Secret invoice", ""):
            assert f"?{name}={number}" not in client.get(path, {"q": words}).content.decode()
    assert client.post(url("desk_unlink", ticket, number)).status_code == 404
    assert (everything_of(ticket), everything_of(foreign)) == (before, there)


def test_a_link_to_a_ticket_of_another_team_is_not_told(
    log_in: LogIn, ana: User, sara: User, ticket: Ticket, foreign: Ticket
) -> None:
    link_tickets(ticket, to=foreign, kind=LinkKind.RELATED, actor=Actor.user(sara))
    path = url("desk_ticket", ticket)
    assert "Secret invoice" in log_in(sara).get(path).content.decode()
    assert "Secret invoice" not in log_in(ana).get(path).content.decode()


@pytest.mark.parametrize("name", ["desk_follow", "desk_measured", "desk_unmerge"])
def test_reading_an_address_that_changes_is_refused(
    log_in: LogIn, ana: User, ticket: Ticket, name: str
) -> None:
    assert log_in(ana).get(url(name, ticket)).status_code == 405


# -- Merging ---------------------------------------------------------------------------------------


def test_merging_shows_first_what_it_does(
    log_in: LogIn, ana: User, ticket: Ticket, second: Ticket
) -> None:
    client = log_in(ana)
    offered = client.get(url("desk_merge", second), headers=HTMX).content.decode()
    assert f"?into={ticket.number}" in offered
    preview = client.get(url("desk_merge", second), {"into": ticket.number}).content.decode()
    assert f"1 message moves into #{ticket.number}, which then has 2." in preview
    data = {
        name: re.search(rf'name="{name}" value="(\d+)"', preview)[1]  # type: ignore[index]
        for name in ("seen", "into", "seen_into")
    }
    answer = client.post(url("desk_merge", second), data)
    assert answer["Location"] == url("desk_ticket", ticket)
    assert fresh(second).merged_into == ticket
    page = client.get(url("desk_ticket", second)).content.decode()
    assert f"#{ticket.number} {ticket.subject}" in page
    client.post(url("desk_unmerge", second))
    assert fresh(second).merged_into is None


@pytest.mark.parametrize("which", ["seen", "seen_into"])
def test_a_merge_of_what_has_changed_meanwhile_is_not_made(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, second: Ticket, which: str
) -> None:
    data = {
        "seen": fresh(second).version,
        "into": ticket.number,
        "seen_into": fresh(ticket).version,
    }
    changed = second if which == "seen" else ticket
    add_note(changed, draft=MessageDraft(text="Wait"), author=luca)
    answer = log_in(ana).post(url("desk_merge", second), data)
    assert answer.status_code == 409
    assert f"#{changed.number} has changed" in answer.content.decode()
    assert not Merge.objects.exists()


def test_other_customers_are_merged_only_with_a_word(
    log_in: LogIn, ana: User, ticket: Ticket, orders: Team
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, team=orders)
    client = log_in(ana)
    path = url("desk_merge", his)
    assert "Ion Pop" in client.get(path, {"into": ticket.number}).content.decode()
    data = {
        "seen": fresh(his).version,
        "into": ticket.number,
        "seen_into": fresh(ticket).version,
    }
    assert client.post(path, data).status_code == 422
    assert not Merge.objects.exists()
    assert client.post(path, {**data, "with_other_customer": "1"}).status_code == 302
    assert Merge.objects.exists()


def test_a_merged_ticket_is_no_target(
    log_in: LogIn, ana: User, ticket: Ticket, second: Ticket, chiara: Customer, orders: Team
) -> None:
    third = make_ticket(chiara, subject="Third", team=orders)
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    client = log_in(ana)
    assert f"?into={second.number}" not in client.get(url("desk_merge", third)).content.decode()
    data = {"seen": fresh(third).version, "into": second.number, "seen_into": 99}
    data["seen_into"] = fresh(second).version
    answer = client.post(url("desk_merge", third), data)
    assert answer.status_code == 409
    assert f"#{second.number} was merged into #{ticket.number}" in answer.content.decode()


def test_nobody_takes_a_conversation_out_of_a_ticket_that_they_may_not_see(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket, second: Ticket, billing: Team
) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    move_to_team(ticket, to=billing, actor=Actor.system())
    add_note(ticket, draft=MessageDraft(text="Of Billing alone"), author=petra)
    before = everything_of(second), everything_of(ticket)
    answer = log_in(ana).post(url("desk_unmerge", second))
    assert answer.status_code == 404
    program = Client(headers={"Authorization": f"Token {create_api_token(ana, name='test')}"})
    assert program.delete(f"/api/v1/tickets/{second.number}/merge/").status_code == 404
    assert (everything_of(second), everything_of(ticket)) == before
    assert Merge.objects.get().undone_at is None


# -- Splitting and linking -------------------------------------------------------------------------


def test_messages_are_split_off(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    other = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And my invoice?"),
        actor=Actor.customer(ticket.customer),
    )
    client = log_in(ana)
    page = client.get(url("desk_split", ticket), {"message": other.pk}).content.decode()
    assert re.search(rf'value="{other.pk}" checked', page)
    data = {"seen": fresh(ticket).version, "messages": [other.pk], "subject": "Invoice"}
    answer = client.post(url("desk_split", ticket), data)
    new = Ticket.objects.get(subject="Invoice")
    assert answer["Location"] == url("desk_ticket", new)
    other.refresh_from_db()
    assert other.ticket == new


@pytest.mark.parametrize("what", ["none", "all", "foreign"])
def test_a_split_that_makes_no_sense_keeps_what_was_typed(
    log_in: LogIn, ana: User, ticket: Ticket, foreign: Ticket, what: str
) -> None:
    messages = {
        "none": [],
        "all": [ticket.messages.get().pk],
        "foreign": [foreign.messages.get().pk],
    }[what]
    data = {"seen": fresh(ticket).version, "messages": messages, "subject": "Typed words"}
    answer = log_in(ana).post(url("desk_split", ticket), data)
    assert answer.status_code == 422
    assert "Typed words" in answer.content.decode()
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "starts_here", "stored"),
    [
        ("related", True, "related"),
        ("duplicate", True, "duplicate"),
        ("incident", True, "incident"),
        ("problem", False, "incident"),
    ],
)
def test_tickets_are_linked_either_way_round(
    log_in: LogIn,
    ana: User,
    ticket: Ticket,
    second: Ticket,
    kind: str,
    starts_here: bool,
    stored: str,
) -> None:
    client = log_in(ana)
    data = {"seen": fresh(ticket).version, "to": second.number, "kind": kind}
    assert client.post(url("desk_link", ticket), data).status_code == 302
    link = TicketLink.objects.get()
    assert (link.ticket == ticket, link.kind) == (starts_here, stored)
    page = client.get(url("desk_ticket", ticket)).content.decode()
    assert url("desk_unlink", ticket, second.number) in page
    client.post(url("desk_unlink", ticket, second.number))
    assert not TicketLink.objects.exists()


def test_solving_a_problem_offers_to_answer_its_incidents(
    log_in: LogIn, ana: User, petra: User, ticket: Ticket, second: Ticket, foreign: Ticket
) -> None:
    for one in (second, foreign):
        link_tickets(one, to=ticket, kind=LinkKind.INCIDENT, actor=Actor.system())
    solve_ticket(ticket, actor=Actor.user(ana))
    client = log_in(ana)
    page = client.get(url("desk_ticket", ticket)).content.decode()
    assert url("desk_incidents", ticket) in page
    form = client.get(url("desk_incidents", ticket)).content.decode()
    assert second.subject in form
    assert foreign.subject not in form
    data = {"seen": 1, "text": "A new shade <b>is</b> on its way.", "solves": "on"}
    assert client.post(url("desk_incidents", ticket), {**data, "text": " "}).status_code == 422
    assert not HeldMessage.objects.exists()
    assert client.post(url("desk_incidents", ticket), data).status_code == 302
    held = HeldMessage.objects.get()
    assert (held.ticket, held.author) == (second, ana)
    assert held.then
    assert held.then.category == "solved"
    assert "&lt;b&gt;" in held.html


# -- Snoozing, dates, subject, following -----------------------------------------------------------


@pytest.mark.parametrize("until", ["later", "tomorrow", "monday", "reply"])
def test_a_click_puts_it_aside(log_in: LogIn, ana: User, ticket: Ticket, until: str) -> None:
    client = log_in(ana)
    data = {"seen": fresh(ticket).version, "until": until}
    answer = client.post(url("desk_snooze", ticket), data, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == "#timeline-end"
    assert "snoozed" in answer.content.decode()
    snoozed = fresh(ticket)
    assert snoozed.is_snoozed
    moment = snoozed.snoozed_until
    if until == "reply":
        assert moment is None
    else:
        assert moment
        assert timezone.now() < moment < timezone.now() + timedelta(days=8)
    if until == "monday":
        assert moment
        assert timezone.localtime(moment).weekday() == 0
    client.post(url("desk_snooze", ticket), {"seen": fresh(ticket).version, "until": "wake"})
    assert not fresh(ticket).is_snoozed


def test_a_time_of_ones_own_is_on_the_companys_clock(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    at = timezone.localtime() + timedelta(days=3)
    data = {"seen": fresh(ticket).version, "at": at.strftime("%Y-%m-%dT%H:%M")}
    assert log_in(ana).post(url("desk_snooze", ticket), data).status_code == 302
    assert fresh(ticket).snoozed_until == at.replace(second=0, microsecond=0)


@pytest.mark.parametrize("at", ["2020-01-01T10:00", "tomorrow", ""])
def test_a_time_that_is_none_is_refused_with_what_was_typed(
    log_in: LogIn, ana: User, ticket: Ticket, at: str
) -> None:
    data = {"seen": fresh(ticket).version, "at": at}
    answer = log_in(ana).post(url("desk_snooze", ticket), data)
    assert answer.status_code == 422
    assert not fresh(ticket).is_snoozed


def test_a_stale_page_changes_nothing(log_in: LogIn, ana: User, luca: User, ticket: Ticket) -> None:
    seen = fresh(ticket).version
    add_note(ticket, draft=MessageDraft(text="New"), author=luca)
    client = log_in(ana)
    before = everything_of(ticket)
    for name, data in (
        ("desk_snooze", {"until": "reply"}),
        ("desk_due", {"at": "2030-01-01T10:00"}),
        ("desk_subject", {"subject": "Typed words"}),
        ("desk_call", {"is_inbound": "yes", "outcome": "answered", "text": "Typed words"}),
    ):
        answer = client.post(url(name, ticket), {"seen": seen, **data})
        assert answer.status_code == 409, name
        if "Typed words" in data.values():
            assert "Typed words" in answer.content.decode()
    assert everything_of(ticket) == before


def test_a_due_date_is_set_shown_and_taken_away(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    data = {"seen": fresh(ticket).version, "at": "2020-01-02T17:00"}
    assert client.post(url("desk_due", ticket), data).status_code == 302
    page = client.get(url("desk_ticket", ticket)).content.decode()
    assert re.search(r'data-tone="bad" id="chip-due"', page)
    client.post(url("desk_due", ticket), {"seen": fresh(ticket).version, "none": "1"})
    assert fresh(ticket).due_at is None


def test_a_subject_of_300_letters_and_a_script_is_text(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    subject = "<img src=x onerror=alert(1)>" + "x" * 272
    client = log_in(ana)
    data = {"seen": fresh(ticket).version, "subject": subject}
    client.post(url("desk_subject", ticket), data)
    assert fresh(ticket).subject == subject
    for name in ("desk_ticket", "desk_merge", "desk_split", "desk_subject"):
        assert "<img src=x" not in client.get(url(name, ticket)).content.decode()
    data = {"seen": fresh(ticket).version, "subject": "x" * 301}
    assert client.post(url("desk_subject", ticket), data).status_code == 422


def test_following_is_a_star(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    client.post(url("desk_follow", ticket), {"follow": "1"})
    assert ticket.followers.get().user == ana
    assert client.post(url("desk_follow", ticket), {"follow": "x"}).status_code == 422
    client.post(url("desk_follow", ticket), {"follow": "0"})
    assert not ticket.followers.exists()


def test_another_requester_is_found_and_asked_about(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    client, path = log_in(ana), url("desk_requester", ticket)
    assert f"?to={ion.pk}" in client.get(path, {"q": "ion"}).content.decode()
    data: dict[str, Any] = {"seen": fresh(ticket).version, "to": ion.pk}
    assert client.post(path, data).status_code == 422
    assert fresh(ticket).customer == ticket.customer
    assert client.post(path, {**data, "shows_history": "no"}).status_code == 302
    assert fresh(ticket).customer == ion
    assert client.post(path, {**data, "to": 10**17}).status_code == 404


# -- Time and calls --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("45", 2700),
        ("45 min", 2700),
        ("1:30", 5400),
        ("1 h 30", 5400),
        ("1.5 h", 5400),
        ("1,5h", 5400),
        ("x", None),
        ("-5", None),
        ("25:00", None),
        ("", None),
        ("0", None),
        ("9" * 400, None),
    ],
)
def test_time_is_typed_as_people_do(
    log_in: LogIn, ana: User, ticket: Ticket, typed: str, seconds: int | None
) -> None:
    answer = log_in(ana).post(url("desk_time", ticket), {"spent": typed, "note": "Looked"})
    if seconds is None:
        assert answer.status_code == 422
        assert not ticket.time_entries.exists()
    else:
        assert answer.status_code == 302
        assert ticket.time_entries.get().seconds == seconds


def test_time_is_measured_only_when_the_company_wants_it(
    log_in: LogIn, ana: User, ticket: Ticket
) -> None:
    client, path = log_in(ana), url("desk_measured", ticket)
    assert client.post(path, {"seconds": "60"}).status_code == 204
    assert not ticket.time_entries.exists()
    assert "data-measure" not in client.get(url("desk_ticket", ticket)).content.decode()
    Company.objects.create(name="Casa Nord", measures_time=True)
    assert "data-measure" in client.get(url("desk_ticket", ticket)).content.decode()
    assert client.post(path, {"seconds": "60"}).status_code == 204
    assert ticket.time_entries.get().seconds == 60
    for wrong in ("-1", "x", "9" * 30):
        assert client.post(path, {"seconds": wrong}).status_code == 422


def test_a_call_stands_on_the_timeline(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    client = log_in(ana)
    data = {
        "seen": fresh(ticket).version,
        "is_inbound": "no",
        "outcome": "resolved",
        "duration": "5",
        "text": "She keeps it",
        "then": "solved",
    }
    assert client.post(url("desk_call", ticket), data).status_code == 302
    call = Call.objects.get()
    assert (call.is_inbound, call.duration_seconds) == (False, 300)
    assert fresh(ticket).status_category == "solved"
    page = client.get(url("desk_ticket", ticket)).content.decode()
    assert "She keeps it" in page
    assert "resolved it, 5 min" in page


def test_a_closed_ticket_is_left_alone(log_in: LogIn, ana: User, ticket: Ticket) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    client, seen = log_in(ana), fresh(ticket).version
    before = kinds(ticket)
    data = {"seen": seen, "is_inbound": "yes", "outcome": "answered", "at": "2030-01-01T10:00"}
    for name in ("desk_call", "desk_due", "desk_snooze"):
        assert client.post(url(name, ticket), data).status_code == 409, name
    assert kinds(ticket) == before


def test_every_kind_of_event_is_told_in_words(
    log_in: LogIn, ana: User, ticket: Ticket, second: Ticket
) -> None:
    snooze_ticket(ticket, until=None, actor=Actor.user(ana))
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    client = log_in(ana)
    page = client.get(url("desk_ticket", ticket)).content.decode()
    assert "snoozed it until the customer writes" in page
    assert f"merged #{second.number} into it" in page
    gone = client.get(url("desk_ticket", second)).content.decode()
    assert f"merged it into #{ticket.number}" in gone
