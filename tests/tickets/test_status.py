from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from people.models import User
from tests.conftest import make_ticket
from tests.tickets.evidence import assert_snapshot_fits, fresh, kinds, newest_event, refused
from tickets import clock
from tickets.actions import (
    NotSolved,
    StatusIsLeftToTime,
    TicketHasChanged,
    close_ticket,
    reopen_ticket,
    set_status,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Status, StatusCategory, Ticket
from tickets.tasks import close_solved_tickets

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def status(category: str) -> Status:
    return Status.objects.default_for(StatusCategory(category))


def test_each_change_of_status_is_exactly_one_event(ticket: Ticket, ana: User) -> None:
    actor = Actor.user(ana)
    version = fresh(ticket).version
    for category in ("open", "pending", "on_hold", "solved", "open", "solved"):
        set_status(ticket, to=status(category), actor=actor)
    close_ticket(ticket, actor=Actor.system())
    assert kinds(ticket, after=version) == [
        "ticket.status_changed",
        "ticket.status_changed",
        "ticket.status_changed",
        "ticket.solved",
        "ticket.reopened",
        "ticket.solved",
        "ticket.closed",
    ]
    assert_snapshot_fits(newest_event(ticket), ticket)


def test_solving_notes_when_and_ends_the_wait(ticket: Ticket, ana: User) -> None:
    with clock.at(MONDAY):
        solve_ticket(ticket, actor=Actor.user(ana), seen=fresh(ticket).version)
    ticket = fresh(ticket)
    assert (ticket.status_category, ticket.solved_at, ticket.waiting_since) == (
        "solved",
        MONDAY,
        None,
    )
    event = newest_event(ticket)
    assert event.data["before"]["category"] == "new"
    assert event.data["after"] == {"id": ticket.status_id, "category": "solved"}
    assert event.actor_user == ana


def test_reopening_forgets_when_it_was_solved(ticket: Ticket, ana: User) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    reopen_ticket(ticket, actor=Actor.user(ana), reason=[{"code": "by_hand"}])
    ticket = fresh(ticket)
    assert (ticket.status_category, ticket.solved_at) == ("open", None)
    assert newest_event(ticket).data["reason"] == [{"code": "by_hand"}]


def test_another_status_of_the_same_category_keeps_the_time_of_the_solve(
    ticket: Ticket, ana: User
) -> None:
    with clock.at(MONDAY):
        solve_ticket(ticket, actor=Actor.user(ana))
    refunded = Status.objects.create(name="Refunded", category="solved", position=9)
    set_status(ticket, to=refunded, actor=Actor.user(ana))
    assert newest_event(ticket).kind == "ticket.status_changed"
    assert fresh(ticket).solved_at == MONDAY


def test_nobody_closes_by_hand(ticket: Ticket, ana: User) -> None:
    with refused(ticket, StatusIsLeftToTime):
        set_status(ticket, to=status("closed"), actor=Actor.user(ana))


def test_only_a_solved_ticket_closes(ticket: Ticket) -> None:
    with refused(ticket, NotSolved):
        close_ticket(ticket, actor=Actor.system())


@pytest.mark.parametrize("act", [solve_ticket, reopen_ticket])
def test_a_stale_page_changes_no_status(ticket: Ticket, ana: User, act: object) -> None:
    with refused(ticket, TicketHasChanged):
        act(ticket, actor=Actor.user(ana), seen=1)


def test_solved_tickets_close_when_their_time_to_reopen_is_over(
    ticket: Ticket, chiara: object, ana: User, settings: object
) -> None:
    settings.REOPEN_WITHIN_DAYS = 10
    recent, still_open = make_ticket(chiara), make_ticket(chiara)
    long_ago = clock.now() - timedelta(days=10, seconds=1)
    with clock.at(long_ago):
        solve_ticket(ticket, actor=Actor.user(ana))
    with clock.at(long_ago + timedelta(minutes=1)):
        solve_ticket(recent, actor=Actor.user(ana))
    assert close_solved_tickets() == 1
    ticket = fresh(ticket)
    assert (ticket.status_category, ticket.solved_at) == ("closed", long_ago)
    assert newest_event(ticket).kind == "ticket.closed"
    assert newest_event(ticket).actor_kind == "system"
    assert fresh(recent).status_category == "solved"
    assert fresh(still_open).status_category == "new"
    assert close_solved_tickets() == 0
    assert kinds(ticket).count("ticket.closed") == 1


def test_closing_goes_on_beyond_one_batch(
    chiara: object, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickets.tasks.AT_ONCE", 2)
    with clock.at(clock.now() - timedelta(days=30)):
        for _ in range(5):
            solve_ticket(make_ticket(chiara), actor=Actor.user(ana))
    assert close_solved_tickets() == 5
    monkeypatch.setattr("tickets.tasks.AT_MOST", 2)
    with clock.at(clock.now() - timedelta(days=30)):
        for _ in range(3):
            solve_ticket(make_ticket(chiara), actor=Actor.user(ana))
    assert close_solved_tickets() == 2
