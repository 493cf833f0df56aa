"""Replies, notes, and what the customer writes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile

from people.models import Team, User
from tests.tickets.evidence import assert_snapshot_fits, fresh, kinds, newest_event, refused
from tickets import clock
from tickets.actions import (
    EmptyMessage,
    FileDraft,
    MessageDraft,
    StatusIsLeftToTime,
    TicketHasChanged,
    add_note,
    assign_ticket,
    close_ticket,
    receive_reply,
    reply,
    set_priority,
    set_status,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Message, MessageKind, Priority, Status, StatusCategory, Ticket

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def status(category: str) -> Status:
    return Status.objects.default_for(StatusCategory(category))


def write_back(
    ticket: Ticket, text: str = "It still is.", *, is_automatic: bool = False
) -> Message:
    return receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text=text, is_automatic=is_automatic),
        actor=Actor.customer(ticket.customer),
    )


def test_a_first_reply_takes_the_ticket_and_opens_it(ticket: Ticket, ana: User) -> None:
    version = fresh(ticket).version
    with clock.at(MONDAY):
        message = reply(
            ticket, draft=MessageDraft(text="We send\n\nanother."), author=ana, seen=version
        )
    ticket = fresh(ticket)
    assert (message.kind, message.author_user, message.author_customer) == ("outbound", ana, None)
    assert (ticket.assignee, ticket.status_category) == (ana, "open")
    assert (ticket.waiting_since, ticket.last_message_at) == (None, MONDAY)
    assert ticket.excerpt == "We send another."
    assert kinds(ticket, after=version) == [
        "message.sent",
        "ticket.assigned",
        "ticket.status_changed",
    ]
    sent = ticket.events.get(kind="message.sent")
    assert (sent.message, sent.actor_user, sent.version) == (message, ana, version + 1)
    assert_snapshot_fits(newest_event(ticket), ticket)


def test_a_reply_leaves_a_ticket_with_whom_it_is(ticket: Ticket, ana: User, luca: User) -> None:
    assign_ticket(ticket, to=luca, actor=Actor.user(luca))
    reply(ticket, draft=MessageDraft(text="Hello"), author=ana)
    assert fresh(ticket).assignee == luca


def test_who_is_not_on_the_team_answers_without_taking_the_ticket(
    ticket: Ticket, petra: User
) -> None:
    reply(ticket, draft=MessageDraft(text="Billing here"), author=petra)
    assert fresh(ticket).assignee is None


def test_reply_and_solve_is_one_step(ticket: Ticket, ana: User) -> None:
    reply(ticket, draft=MessageDraft(text="Done"), author=ana, then=status("solved"))
    ticket = fresh(ticket)
    assert ticket.status_category == "solved"
    assert newest_event(ticket).kind == "ticket.solved"
    assert kinds(ticket).count("ticket.status_changed") == 0


def test_a_reply_that_is_refused_leaves_no_trace(ticket: Ticket, ana: User) -> None:
    words = MessageDraft(text="Hello")
    with refused(ticket, StatusIsLeftToTime):
        reply(ticket, draft=words, author=ana, then=status("closed"))
    with refused(ticket, TicketHasChanged):
        reply(ticket, draft=words, author=ana, then=status("solved"), seen=1)
    with refused(ticket, EmptyMessage):
        reply(ticket, draft=MessageDraft(text="\n "), author=ana)
    with refused(ticket, TicketHasChanged):
        add_note(ticket, draft=words, author=ana, seen=1)
    with refused(ticket, EmptyMessage):
        add_note(ticket, draft=MessageDraft(text=""), author=ana)


def test_a_file_alone_is_a_message(ticket: Ticket, ana: User) -> None:
    file = FileDraft(name="label.pdf", content=ContentFile(b"%PDF"), content_type="application/pdf")
    message = reply(ticket, draft=MessageDraft(text="", files=(file,)), author=ana)
    assert [a.name for a in message.attachments.all()] == ["label.pdf"]


def test_a_note_is_for_colleagues_only(ticket: Ticket, ana: User) -> None:
    before = fresh(ticket)
    note = add_note(ticket, draft=MessageDraft(text="She is angry."), author=ana)
    after = fresh(ticket)
    assert (note.kind, note.author_user) == ("note", ana)
    assert note not in ticket.messages.public()
    for name in ("excerpt", "last_message_at", "waiting_since", "status_category", "assignee"):
        assert getattr(after, name) == getattr(before, name)
    assert after.version == before.version + 1
    assert newest_event(ticket).kind == "note.added"
    assert_snapshot_fits(newest_event(ticket), ticket)


def test_the_wait_begins_with_the_first_unanswered_message(ticket: Ticket, ana: User) -> None:
    reply(ticket, draft=MessageDraft(text="Hello"), author=ana)
    with clock.at(MONDAY):
        write_back(ticket)
    with clock.at(MONDAY + timedelta(hours=1)):
        write_back(ticket, "Are you there?")
    assert fresh(ticket).waiting_since == MONDAY
    assert fresh(ticket).last_message_at == MONDAY + timedelta(hours=1)


@pytest.mark.parametrize(
    ("category", "then"),
    [("new", "new"), ("open", "open"), ("on_hold", "on_hold"), ("pending", "open")],
)
def test_what_the_customer_writes_back_does_to_an_open_ticket(
    ticket: Ticket, ana: User, category: str, then: str
) -> None:
    set_status(ticket, to=status(category), actor=Actor.user(ana))
    message = write_back(ticket)
    assert message.ticket == ticket
    assert fresh(ticket).status_category == then


def test_a_reply_within_the_time_reopens(ticket: Ticket, ana: User) -> None:
    with clock.at(MONDAY):
        solve_ticket(ticket, actor=Actor.user(ana))
    version = fresh(ticket).version
    with clock.at(MONDAY + timedelta(days=14)):
        message = write_back(ticket)
    ticket = fresh(ticket)
    assert message.ticket == ticket
    assert (ticket.status_category, ticket.solved_at) == ("open", None)
    assert ticket.waiting_since == MONDAY + timedelta(days=14)
    assert kinds(ticket, after=version) == ["message.received", "ticket.reopened"]
    event = newest_event(ticket)
    assert event.data["reason"] == [{"code": "customer_replied"}]
    assert event.actor_customer == ticket.customer
    assert_snapshot_fits(event, ticket)


def test_a_later_reply_opens_a_linked_follow_up(ticket: Ticket, ana: User, orders: Team) -> None:
    set_priority(ticket, to=Priority.HIGH, actor=Actor.user(ana))
    with clock.at(MONDAY):
        solve_ticket(ticket, actor=Actor.user(ana))
    version = fresh(ticket).version
    with clock.at(MONDAY + timedelta(days=14, seconds=1)):
        message = write_back(ticket)
    follow_up = message.ticket
    assert follow_up.follow_up_of == ticket
    assert (follow_up.team, follow_up.priority, follow_up.subject) == (
        orders,
        Priority.HIGH,
        ticket.subject,
    )
    assert follow_up.status_category == "new"
    assert follow_up.customer == ticket.customer
    assert follow_up.events.get(kind="ticket.opened").data == {"follow_up_of": ticket.number}
    old = fresh(ticket)
    assert (old.status_category, old.version) == ("solved", version)
    assert newest_event(ticket).kind == "ticket.followed_up"
    assert newest_event(ticket).data == {"by": follow_up.number}
    assert list(old.messages.values_list("text", flat=True)) != ["It still is."]


def test_the_window_is_a_setting(ticket: Ticket, ana: User, settings: object) -> None:
    settings.REOPEN_WITHIN_DAYS = 2
    with clock.at(MONDAY):
        solve_ticket(ticket, actor=Actor.user(ana))
    with clock.at(MONDAY + timedelta(days=3)):
        assert write_back(ticket).ticket != ticket


def test_a_reply_to_a_closed_ticket_opens_a_follow_up(ticket: Ticket, ana: User) -> None:
    close_ticket(solve_ticket(ticket, actor=Actor.user(ana)), actor=Actor.system())
    version = fresh(ticket).version
    assert write_back(ticket).ticket.follow_up_of == ticket
    assert (fresh(ticket).status_category, fresh(ticket).version) == ("closed", version)


def test_automatic_mail_reopens_nothing_and_opens_nothing(ticket: Ticket, ana: User) -> None:
    set_status(ticket, to=status("pending"), actor=Actor.user(ana))
    write_back(ticket, "I am away.", is_automatic=True)
    assert fresh(ticket).status_category == "pending"
    solve_ticket(ticket, actor=Actor.user(ana))
    write_back(ticket, "I am away.", is_automatic=True)
    assert fresh(ticket).status_category == "solved"
    assert fresh(ticket).waiting_since is None
    close_ticket(ticket, actor=Actor.system())
    message = write_back(ticket, "I am away.", is_automatic=True)
    assert message.ticket == ticket
    assert fresh(ticket).status_category == "closed"
    assert Ticket.objects.count() == 1
    assert newest_event(ticket).data["is_automatic"] is True


def test_an_empty_message_from_outside_is_refused(ticket: Ticket, ana: User) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    with refused(ticket, EmptyMessage):
        write_back(ticket, "")


def test_the_timeline_reads_messages_in_a_few_queries(
    ticket: Ticket, ana: User, django_assert_num_queries: object
) -> None:
    for number in range(4):
        reply(ticket, draft=MessageDraft(text=f"{number}"), author=ana)
    with django_assert_num_queries(2):
        for message in ticket.messages.for_timeline():
            assert message.author_name
            list(message.attachments.all())
    newest = ticket.messages.for_timeline().last()
    assert newest
    assert newest.kind == MessageKind.OUTBOUND
