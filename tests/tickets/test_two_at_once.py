"""Two people, two connections, one ticket: what really happens when they act at the same moment."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from people.models import Customer, User
from tests.at_once import at_once
from tests.conftest import make_ticket
from tests.tickets.evidence import fresh, kinds
from tickets.actions import (
    MessageDraft,
    TicketHasChanged,
    TicketIsClosed,
    assign_ticket,
    move_to_team,
    open_ticket,
    receive_reply,
    reply,
    set_status,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.clock import at, now
from tickets.models import Channel, Status, Ticket, TicketType
from tickets.models.tickets import reopen_window
from tickets.tasks import close_solved_tickets

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_replies_written_on_one_page_exactly_one_is_sent(
    ticket: Ticket, ana: User, luca: User
) -> None:
    seen = fresh(ticket).version

    def answer(author: User) -> Any:
        return reply(ticket, draft=MessageDraft(text=author.name), author=author, seen=seen)

    outcomes = at_once(lambda: answer(ana), lambda: answer(luca))
    refusals = [o for o in outcomes if isinstance(o, TicketHasChanged)]
    assert len(refusals) == 1
    assert refusals[0].ticket.version > seen
    message = ticket.messages.get(kind="outbound")
    assert fresh(ticket).assignee == message.author_user
    assert kinds(ticket).count("message.sent") == 1
    assert kinds(ticket).count("ticket.assigned") == 1


def test_changes_that_nobody_bound_to_a_version_all_happen_one_after_the_other(
    ticket: Ticket, ana: User
) -> None:
    actor = Actor.user(ana)
    version = fresh(ticket).version
    outcomes = at_once(
        *[lambda n=n: reply(ticket, draft=MessageDraft(text=str(n)), author=ana) for n in range(4)],
        lambda: solve_ticket(ticket, actor=actor),
    )
    assert not [o for o in outcomes if isinstance(o, Exception)]
    assert ticket.messages.filter(kind="outbound").count() == 4
    versions = list(ticket.events.filter(version__gt=version).values_list("version", flat=True))
    assert sorted(versions) == sorted(set(versions))
    assert max(versions) == fresh(ticket).version


def test_whoever_waits_for_a_lock_sees_the_ticket_as_it_is_afterwards(
    ticket: Ticket, ana: User, billing: Any, petra: User
) -> None:
    """The status, the team and the assignee all change while another change waits."""
    is_changed, is_waiting = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            move_to_team(ticket, to=billing, actor=Actor.system())
            set_status(ticket, to=Status.objects.get(category="pending"), actor=Actor.user(petra))
            is_changed.set()
            is_waiting.wait(timeout=10)
            _until_somebody_waits_for_a_lock()

    def take() -> Ticket:
        is_changed.wait(timeout=10)
        is_waiting.set()
        return assign_ticket(ticket, to=petra, actor=Actor.user(petra))

    outcomes = at_once(change, take)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], Ticket), outcomes[1]
    assert outcomes[1].team == billing
    assert outcomes[1].status.category == "pending"
    assert fresh(ticket).assignee == petra


def _until_somebody_waits_for_a_lock() -> None:
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute(
                "SELECT count(*), pg_sleep(0.01) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE datname = current_database() AND NOT granted"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waited.")


def test_a_customers_reply_at_the_moment_of_closing_is_never_lost(
    ticket: Ticket, ana: User
) -> None:
    with at(now() - reopen_window()):
        solve_ticket(ticket, actor=Actor.user(ana))
    conversation = ticket.conversations.get()

    def write_back() -> Any:
        return receive_reply(
            conversation,
            draft=MessageDraft(text="Wait!"),
            actor=Actor.customer(ticket.customer),
        )

    outcomes = at_once(write_back, close_solved_tickets)
    assert not [o for o in outcomes if isinstance(o, Exception)], outcomes
    message = outcomes[0]
    assert message.ticket == ticket or message.ticket.follow_up_of == ticket
    if message.ticket != ticket:
        assert message.ticket.status_category == "new"


def test_two_sweeps_close_each_ticket_once(chiara: Customer, ana: User) -> None:
    with at(now() - reopen_window() * 2):
        tickets = [make_ticket(chiara) for _ in range(6)]
        for ticket in tickets:
            solve_ticket(ticket, actor=Actor.user(ana))
    outcomes = at_once(close_solved_tickets, close_solved_tickets)
    assert not [o for o in outcomes if isinstance(o, (TicketIsClosed, Exception))], outcomes
    close_solved_tickets()
    assert [kinds(t).count("ticket.closed") for t in tickets] == [1] * 6


def test_numbers_are_unique_when_many_open_at_once(chiara: Customer) -> None:
    def open_one() -> int:
        return open_ticket(
            customer=chiara,
            subject="At once",
            channel=Channel.FORM,
            draft=MessageDraft(text="Hello"),
            actor=Actor.customer(chiara),
            type=TicketType.QUESTION,
        ).number

    outcomes = at_once(*[open_one] * 6)
    assert len(set(outcomes)) == 6
    assert all(isinstance(number, int) for number in outcomes)
