"""What colleagues do with a ticket beside answering: split, link, snooze, date, rename, call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile

from people.actions import recognise
from people.models import Customer, Team, User
from tests.conftest import make_ticket
from tests.tickets.evidence import assert_snapshot_fits, fresh, kinds, newest_event, refused
from tickets.actions import (
    AlreadyLinked,
    CallDraft,
    FileDraft,
    HasAnotherProblem,
    IsInThePast,
    LinksToItself,
    MessageDraft,
    NoSuchTime,
    NothingToSnooze,
    NothingToSplit,
    SeveralCustomers,
    SubjectIsEmpty,
    TicketIsClosed,
    add_measured_time,
    add_note,
    change_requester,
    close_ticket,
    follow_ticket,
    link_tickets,
    log_call,
    log_time,
    merge_tickets,
    open_by_phone,
    receive_reply,
    reply,
    set_due,
    set_subject,
    snooze_ticket,
    solve_ticket,
    split_messages,
    unfollow_ticket,
    unlink_tickets,
    wake_ticket,
)
from tickets.actor import Actor
from tickets.clock import at, now
from tickets.models import CallOutcome, LinkKind, Message, Status, Ticket, TicketLink
from tickets.tasks import wake_snoozed_tickets


def write(ticket: Ticket, text: str, **draft: object) -> Message:
    return receive_reply(
        ticket.conversations.order_by("pk")[0],
        draft=MessageDraft(text=text, **draft),  # type: ignore[arg-type]
        actor=Actor.customer(ticket.customer),
    )


# -- Splitting -----------------------------------------------------------------------------------


def test_messages_split_off_with_their_files_into_a_ticket_of_the_same_customer(
    ticket: Ticket, ana: User
) -> None:
    reply(ticket, draft=MessageDraft(text="A new shade is on its way"), author=ana)
    other = write(ticket, "And my invoice?", files=(FileDraft("invoice.txt", ContentFile(b"100")),))
    before = fresh(ticket)
    new = split_messages(ticket, messages=[other], actor=Actor.user(ana), subject=" Invoice ")
    other.refresh_from_db()
    assert (other.ticket, other.conversation.ticket) == (new, new)
    assert other.conversation != ticket.conversations.get()
    assert other.attachments.get().name == "invoice.txt"
    assert (new.subject, new.customer, new.team) == ("Invoice", ticket.customer, ticket.team)
    assert (new.assignee, new.status_category) == (ana, "open")
    assert new.waiting_since == other.occurred_at
    left = fresh(ticket)
    assert (before.waiting_since, left.waiting_since) == (other.occurred_at, None)
    assert left.excerpt == "A new shade is on its way"
    assert newest_event(ticket).data["into"] == new.number
    assert new.events.order_by("pk")[0].data == {"split_from": ticket.number}
    assert "message.received" not in kinds(new)
    link = TicketLink.objects.get()
    assert (link.ticket, link.other, link.kind) == (new, ticket, LinkKind.RELATED)
    # Both go on by themselves.
    answer = reply(new, draft=MessageDraft(text="Here it is"), author=ana)
    assert answer.conversation == other.conversation


def test_a_conversation_that_goes_whole_keeps_its_reply_address(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    second = make_ticket(chiara, text="Something else", team=orders)
    conversation, message = second.conversations.get(), second.messages.get()
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    new = split_messages(ticket, messages=[message], actor=Actor.user(ana))
    key = conversation.reply_key
    conversation.refresh_from_db()
    assert (conversation.ticket, conversation.reply_key) == (new, key)
    assert ticket.conversations.count() == 1


def test_splitting_leaves_something_and_takes_something(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    foreign = make_ticket(chiara, team=orders).messages.get()
    with refused(ticket, NothingToSplit):
        split_messages(ticket, messages=[], actor=Actor.user(ana))
    with refused(ticket, NothingToSplit):
        split_messages(ticket, messages=[ticket.messages.get()], actor=Actor.user(ana))
    with refused(ticket, NothingToSplit):
        split_messages(ticket, messages=[foreign], actor=Actor.user(ana))
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, team=orders)
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    add_note(ticket, draft=MessageDraft(text="A note that stays"), author=ana)
    with refused(ticket, SeveralCustomers):
        split_messages(ticket, messages=list(ticket.messages.public()), actor=Actor.user(ana))


# -- Links ---------------------------------------------------------------------------------------


def test_a_link_is_told_on_both_sides_and_can_be_taken_back(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    problem = make_ticket(chiara, subject="Bad batch", team=orders)
    link_tickets(ticket, to=problem, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    assert (fresh(ticket).type, fresh(problem).type) == ("incident", "problem")
    for one, other, is_from_here in ((ticket, problem, True), (problem, ticket, False)):
        event = one.events.get(kind="ticket.linked")
        assert event.data == {
            "to": other.number,
            "kind_of_link": "incident",
            "is_from_here": is_from_here,
        }
    unlink_tickets(problem, other=ticket, actor=Actor.user(ana))
    assert not TicketLink.objects.exists()
    assert kinds(ticket)[-1] == kinds(problem)[-1] == "ticket.unlinked"
    version = fresh(ticket).version
    unlink_tickets(problem, other=ticket, actor=Actor.user(ana))
    assert fresh(ticket).version == version


def test_links_that_make_no_sense_are_refused(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    one, two = (make_ticket(chiara, team=orders) for _ in range(2))
    actor = Actor.user(ana)
    with refused(ticket, LinksToItself):
        link_tickets(ticket, to=ticket, kind=LinkKind.RELATED, actor=actor)
    link_tickets(ticket, to=one, kind=LinkKind.INCIDENT, actor=actor)
    with refused(ticket, AlreadyLinked):
        link_tickets(one, to=ticket, kind=LinkKind.RELATED, actor=actor)
    with refused(ticket, HasAnotherProblem):
        link_tickets(ticket, to=two, kind=LinkKind.INCIDENT, actor=actor)
    assert TicketLink.objects.count() == 1


# -- Snoozing ------------------------------------------------------------------------------------


def test_a_snoozed_ticket_wakes_when_its_time_has_come(ticket: Ticket, ana: User) -> None:
    until = now() + timedelta(hours=3)
    snooze_ticket(ticket, until=until, actor=Actor.user(ana))
    assert newest_event(ticket).data == {"until": until.isoformat()}
    assert fresh(ticket).is_snoozed
    assert wake_snoozed_tickets() == 0
    with at(until):
        assert wake_snoozed_tickets() == 1
        assert wake_snoozed_tickets() == 0
    woken = fresh(ticket)
    assert (woken.snoozed_at, woken.snoozed_until) == (None, None)
    event = newest_event(ticket)
    assert (event.kind, event.actor_kind) == ("ticket.woken", "system")
    assert_snapshot_fits(event, ticket)


@pytest.mark.parametrize("is_automatic", [False, True])
def test_a_message_by_the_customer_wakes_it_and_a_machine_does_not(
    ticket: Ticket, ana: User, is_automatic: bool
) -> None:
    snooze_ticket(ticket, until=None, actor=Actor.user(ana))
    add_note(ticket, draft=MessageDraft(text="Still waiting"), author=ana)
    assert fresh(ticket).is_snoozed
    write(ticket, "Hello?", is_automatic=is_automatic)
    assert fresh(ticket).is_snoozed is is_automatic
    assert ("ticket.woken" in kinds(ticket)) is not is_automatic


def test_what_cannot_be_snoozed_is_refused(ticket: Ticket, ana: User) -> None:
    actor = Actor.user(ana)
    with refused(ticket, IsInThePast):
        snooze_ticket(ticket, until=now() - timedelta(seconds=1), actor=actor)
    snooze_ticket(ticket, until=None, actor=actor)
    solve_ticket(ticket, actor=actor)
    assert not fresh(ticket).is_snoozed
    with refused(ticket, NothingToSnooze):
        snooze_ticket(ticket, until=None, actor=actor)


def test_waking_by_hand_is_once(ticket: Ticket, ana: User) -> None:
    snooze_ticket(ticket, until=None, actor=Actor.user(ana))
    wake_ticket(ticket, actor=Actor.user(ana))
    version = fresh(ticket).version
    wake_ticket(ticket, actor=Actor.user(ana))
    assert fresh(ticket).version == version


# -- Date, subject, requester --------------------------------------------------------------------


def test_the_due_date_says_what_it_was_and_is(ticket: Ticket, ana: User) -> None:
    moment = now() + timedelta(days=2)
    set_due(ticket, to=moment, actor=Actor.user(ana))
    set_due(ticket, to=moment, actor=Actor.user(ana))
    assert fresh(ticket).due_at == moment
    assert kinds(ticket).count("ticket.due_changed") == 1
    set_due(ticket, to=None, actor=Actor.user(ana))
    assert newest_event(ticket).data == {"before": moment.isoformat(), "after": None}


def test_the_subject_is_one_line_of_at_most_300_characters(ticket: Ticket, ana: User) -> None:
    before = ticket.subject
    set_subject(ticket, to="Lamp\r\nBcc: x@y.example " + "x" * 400, actor=Actor.user(ana))
    after = fresh(ticket).subject
    assert len(after) == 300
    assert not {"\n", "\r"} & set(after)
    assert newest_event(ticket).data == {"before": before, "after": after}
    with refused(ticket, SubjectIsEmpty):
        set_subject(ticket, to=" \n ", actor=Actor.user(ana))


@pytest.mark.parametrize("shows_history", [True, False])
def test_another_requester_gets_the_answers_and_only_what_they_may_read(
    ticket: Ticket, ana: User, chiara: Customer, shows_history: bool
) -> None:
    from tickets.models import Conversation

    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    key, reply_key = ticket.access_key, ticket.conversations.get().reply_key
    change_requester(ticket, to=ion, shows_history=shows_history, actor=Actor.user(ana))
    changed = fresh(ticket)
    assert (changed.customer, changed.language) == (ion, "ro")
    # The old link leads nowhere any more.
    assert not Ticket.objects.by_key(key).exists()
    assert changed.newest_conversation.customer == ion
    assert changed.newest_conversation.identity.value == "ion@example.ro"
    readable = Conversation.objects.behind_link_of(changed)
    assert Message.objects.filter(conversation__in=readable).exists() is shows_history
    is_alive = Conversation.objects.filter(reply_key=reply_key).exists()
    assert is_alive is not shows_history
    assert newest_event(ticket).data["names"] == ["Chiara Bellini", "Ion Pop"]


def test_following_is_ones_own_affair(ticket: Ticket, ana: User) -> None:
    version = fresh(ticket).version
    follow_ticket(ticket, user=ana)
    follow_ticket(ticket, user=ana)
    assert ticket.followers.get().user == ana
    unfollow_ticket(ticket, user=ana)
    assert not ticket.followers.exists()
    assert fresh(ticket).version == version


# -- Time ----------------------------------------------------------------------------------------


def test_time_is_written_down_and_corrected(ticket: Ticket, ana: User, luca: User) -> None:
    log_time(ticket, user=ana, seconds=600, note="Called the warehouse")
    log_time(ticket, user=ana, seconds=-600)
    assert kinds(ticket).count("time.logged") == 2
    for wrong in (0, -1, 24 * 3600 + 1):
        with refused(ticket, NoSuchTime):
            log_time(ticket, user=ana, seconds=wrong)
    assert ticket.time_entries.count() == 2


def test_measured_time_is_added_up_and_never_more_than_passed(ticket: Ticket, ana: User) -> None:
    moment, before = now(), kinds(ticket)
    for minutes in range(3):
        with at(moment + timedelta(minutes=minutes)):
            add_measured_time(ticket, user=ana, seconds=60)
            add_measured_time(ticket, user=ana, seconds=100_000)
    entry = ticket.time_entries.get()
    assert entry.is_measured
    assert 180 <= entry.seconds <= 200
    with at(moment + timedelta(hours=2)):
        add_measured_time(ticket, user=ana, seconds=30)
        assert add_measured_time(ticket, user=ana, seconds=0) is None
    assert ticket.time_entries.count() == 2
    assert kinds(ticket) == before


# -- Calls ---------------------------------------------------------------------------------------


def test_a_call_is_a_conversation_with_a_note(ticket: Ticket, ana: User) -> None:
    call = log_call(
        ticket,
        call=CallDraft(CallOutcome.RESOLVED, duration_seconds=320, text="Sends it back"),
        user=ana,
        then=Status.objects.get(category="solved"),
    )
    assert (call.conversation.channel, call.message.kind) == ("phone", "note")
    assert call.message.text == "Sends it back"
    event = ticket.events.get(kind="call.logged")
    assert event.data == {
        "call": call.pk,
        "is_inbound": True,
        "outcome": "resolved",
        "seconds": 320,
    }
    assert fresh(ticket).status_category == "solved"
    assert not ticket.messages.filter(kind="outbound").exists()
    close_ticket(ticket, actor=Actor.system())
    with refused(ticket, TicketIsClosed):
        log_call(ticket, call=CallDraft(CallOutcome.ANSWERED), user=ana)


@pytest.mark.parametrize(("outcome", "waits"), [("answered", False), ("voicemail", True)])
def test_whoever_was_spoken_to_waits_no_more(
    ticket: Ticket, ana: User, outcome: str, waits: bool
) -> None:
    log_call(ticket, call=CallDraft(CallOutcome(outcome)), user=ana)
    assert (fresh(ticket).waiting_since is not None) is waits
    # Without words, the outcome says what there is to say.
    assert ticket.messages.get(kind="note").text == CallOutcome(outcome).label


def test_a_ticket_begins_with_a_call_and_nothing_is_sent(
    chiara: Customer, ana: User, orders: Team
) -> None:
    from messaging.models import OutgoingMail

    ticket = open_by_phone(
        customer=chiara,
        subject="",
        call=CallDraft(CallOutcome.CALL_BACK, text="Wants to change the address"),
        user=ana,
        team=orders,
    )
    assert ticket.subject == "Wants to change the address"
    assert (ticket.channel, ticket.assignee, ticket.team) == ("phone", ana, orders)
    assert ticket.status_category == "open"
    assert not OutgoingMail.objects.exists()
    # The first answer by mail goes to the customer's address.
    reply(ticket, draft=MessageDraft(text="Changed"), author=ana)
    assert OutgoingMail.objects.get().to_address == "chiara@example.it"
