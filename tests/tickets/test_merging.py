"""Two tickets that are one piece of work: merging them, and taking that back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from people.actions import recognise
from people.models import Customer, Team, User
from tests.at_once import at_once
from tests.conftest import make_ticket
from tests.tickets.evidence import (
    assert_snapshot_fits,
    everything_of,
    fresh,
    kinds,
    newest_event,
    refused,
)
from tickets.actions import (
    MergesIntoItself,
    MessageDraft,
    NotMerged,
    OtherCustomer,
    ReplyIsLeaving,
    TicketHasChanged,
    TicketIsClosed,
    TicketIsMerged,
    WasMergedFurther,
    add_note,
    close_ticket,
    follow_up,
    link_tickets,
    log_call,
    merge_tickets,
    receive_reply,
    reply,
    snooze_ticket,
    solve_ticket,
    split_messages,
    unmerge_ticket,
)
from tickets.actions.calls import CallDraft
from tickets.actor import Actor
from tickets.clock import at, now
from tickets.models import (
    CallOutcome,
    Conversation,
    Draft,
    Follower,
    HeldMessage,
    LinkKind,
    Merge,
    Message,
    Status,
    Ticket,
    TicketLink,
    Upload,
)


@pytest.fixture
def second(chiara: Customer, orders: Team, ticket: Ticket) -> Ticket:
    """Chiara's second mail about the same lamp."""
    return make_ticket(chiara, subject="Lamp again", text="Any news of my lamp?", team=orders)


def test_conversations_move_and_the_source_is_closed(
    ticket: Ticket, second: Ticket, ana: User
) -> None:
    moved = second.conversations.get()
    merge_tickets(second, into=ticket, actor=Actor.user(ana), seen=fresh(second).version)
    moved.refresh_from_db()
    assert moved.ticket_id == ticket.pk
    assert [message.text for message in ticket.messages.order_by("pk")] == [
        "The glass is cracked along the base. Can you send another shade?",
        "Any news of my lamp?",
    ]
    gone, into = fresh(second), fresh(ticket)
    assert (gone.status_category, gone.merged_into) == ("closed", into)
    assert gone.waiting_since is None
    assert into.excerpt == "Any news of my lamp?"
    assert into.last_message_at > ticket.last_message_at
    assert newest_event(gone).data["into"] == into.number
    assert newest_event(into).data["merged"] == gone.number
    for one in (gone, into):
        assert kinds(one)[-1] == "ticket.merged"
        assert_snapshot_fits(newest_event(one), one)


def test_what_the_customer_writes_in_the_old_ticket_lands_in_the_target(
    ticket: Ticket, second: Ticket, chiara: Customer
) -> None:
    conversation = second.conversations.get()
    merge_tickets(second, into=ticket, actor=Actor.system())
    # As the mail's adapter has it in its hands: loaded before the merge.
    message = receive_reply(
        conversation, draft=MessageDraft(text="Hello?"), actor=Actor.customer(chiara)
    )
    assert message.ticket_id == ticket.pk
    assert Ticket.objects.count() == 2


def test_an_answer_goes_to_where_the_customer_wrote_last(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer
) -> None:
    first, other = ticket.conversations.get(), second.conversations.get()
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    answer = reply(fresh(ticket), draft=MessageDraft(text="On its way"), author=ana)
    assert answer.conversation == other
    receive_reply(first, draft=MessageDraft(text="And here"), actor=Actor.customer(chiara))
    answer = reply(fresh(ticket), draft=MessageDraft(text="Here too"), author=ana)
    assert answer.conversation == first


def test_the_waiting_of_both_is_the_longer_one(ticket: Ticket, second: Ticket, ana: User) -> None:
    earlier = fresh(second).waiting_since
    reply(ticket, draft=MessageDraft(text="Which lamp?"), author=ana)
    assert fresh(ticket).waiting_since is None
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert fresh(ticket).waiting_since == earlier


def test_each_of_two_customers_waits_for_an_answer_of_their_own(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, text="My lamp too", team=orders)
    hers, theirs = fresh(ticket).waiting_since, ticket.conversations.get()
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    # Ion wrote last, and is who is answered.
    aside = reply(fresh(ticket), draft=MessageDraft(text="On its way, Ion"), author=ana)
    assert aside.conversation.customer == ion
    assert fresh(ticket).waiting_since == hers
    again = receive_reply(
        theirs, draft=MessageDraft(text="And mine?"), actor=Actor.customer(chiara)
    )
    # Read anew it is the same.
    split_messages(fresh(ticket), messages=[again], actor=Actor.user(ana))
    assert fresh(ticket).waiting_since == hers
    log_call(fresh(ticket), call=CallDraft(CallOutcome.ANSWERED, text="Spoke"), user=ana)
    assert fresh(ticket).waiting_since is None


@pytest.mark.parametrize(("category", "reopens"), [("solved", True), ("pending", True)])
def test_an_open_one_opens_the_one_that_it_goes_into(
    ticket: Ticket, second: Ticket, ana: User, category: str, reopens: bool
) -> None:
    from tickets.actions import set_status

    set_status(ticket, to=Status.objects.get(category=category), actor=Actor.user(ana))
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert (fresh(ticket).status_category == "open") is reopens


def test_a_solved_one_leaves_a_solved_one_solved(ticket: Ticket, second: Ticket, ana: User) -> None:
    for one in (ticket, second):
        solve_ticket(one, actor=Actor.user(ana))
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert fresh(ticket).status_category == "solved"


def test_a_snoozed_one_wakes_when_somebody_waits(ticket: Ticket, second: Ticket, ana: User) -> None:
    snooze_ticket(ticket, until=None, actor=Actor.user(ana))
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert not fresh(ticket).is_snoozed


def test_followers_links_and_drafts_go_along(
    ticket: Ticket, second: Ticket, ana: User, luca: User, chiara: Customer, orders: Team
) -> None:
    problem = make_ticket(chiara, subject="Bad batch", team=orders)
    link_tickets(second, to=problem, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    Follower.objects.create(ticket=second, user=luca)
    Draft.objects.create(ticket=second, author=ana, html="<p>two</p>", mode="note")
    Draft.objects.create(ticket=ticket, author=ana, html="<p>one</p>", mode="reply")
    Draft.objects.create(ticket=second, author=luca, html="<p>mine</p>")
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert list(ticket.followers.values_list("user", flat=True)) == [luca.pk]
    assert TicketLink.objects.get().ticket_id == ticket.pk
    mine = Draft.objects.get(author=ana)
    assert (mine.ticket, mine.html, mine.mode) == (ticket, "<p>one</p><p>two</p>", "note")
    assert Draft.objects.get(author=luca).ticket == ticket


@contextmanager
def both_refused(one: Ticket, two: Ticket, exception: type[Exception]) -> Iterator[None]:
    before = everything_of(one), everything_of(two)
    with pytest.raises(exception):
        yield
    assert (everything_of(one), everything_of(two)) == before


# -- Refusals ------------------------------------------------------------------------------------


def test_what_cannot_be_merged_is_refused_and_left_alone(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    actor = Actor.user(ana)
    with refused(ticket, MergesIntoItself):
        merge_tickets(ticket, into=ticket, actor=actor)
    with both_refused(second, ticket, TicketHasChanged):
        merge_tickets(second, into=ticket, actor=actor, seen=1)
    with both_refused(second, ticket, TicketHasChanged):
        merge_tickets(second, into=ticket, actor=actor, seen_into=1)
    third = make_ticket(chiara, team=orders)
    merge_tickets(third, into=ticket, actor=actor)
    with refused(second, TicketIsMerged):
        merge_tickets(second, into=third, actor=actor)
    with refused(third, TicketIsMerged):
        merge_tickets(third, into=second, actor=actor)
    solve_ticket(ticket, actor=actor)
    close_ticket(ticket, actor=Actor.system())
    with both_refused(second, ticket, TicketIsClosed):
        merge_tickets(second, into=ticket, actor=actor)
    assert Merge.objects.count() == 1


def test_tickets_of_two_customers_are_merged_only_when_it_is_meant(
    ticket: Ticket, ana: User, orders: Team
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, text="My lamp too", team=orders)
    with both_refused(his, ticket, OtherCustomer):
        merge_tickets(his, into=ticket, actor=Actor.user(ana))
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    # Whoever wrote is whoever is answered.
    assert fresh(ticket).newest_conversation.customer == ion
    assert fresh(ticket).customer == ticket.customer


def test_a_reply_that_is_about_to_leave_leaves_first(
    ticket: Ticket, second: Ticket, ana: User
) -> None:
    HeldMessage.objects.create(ticket=second, author=ana, html="<p>Soon</p>")
    with refused(second, ReplyIsLeaving):
        merge_tickets(second, into=ticket, actor=Actor.user(ana))


def test_a_merged_ticket_takes_nothing_any_more(ticket: Ticket, second: Ticket, ana: User) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    with refused(second, TicketIsMerged):
        reply(second, draft=MessageDraft(text="Hello"), author=ana)
    with refused(second, TicketIsMerged):
        add_note(second, draft=MessageDraft(text="Hello"), author=ana)
    with refused(second, TicketIsMerged):
        follow_up(fresh(second), draft=MessageDraft(text="Hello"), author=ana)


# -- Taking it back ------------------------------------------------------------------------------


def test_unmerging_brings_everything_back(
    ticket: Ticket, second: Ticket, ana: User, luca: User, chiara: Customer, orders: Team
) -> None:
    problem = make_ticket(chiara, subject="Bad batch", team=orders)
    link_tickets(second, to=problem, kind=LinkKind.INCIDENT, actor=Actor.user(ana))
    Follower.objects.create(ticket=second, user=luca)
    snooze_ticket(second, until=now() + timedelta(days=1), actor=Actor.user(ana))
    names = [
        *("status_id", "status_category", "solved_at", "closed_at", "assignee_id", "team_id"),
        *("waiting_since", "last_message_at", "excerpt", "snoozed_at", "snoozed_until"),
        *("merged_into_id", "customer_id", "priority", "subject"),
    ]
    rows = Ticket.objects.order_by("pk").values(*names)
    before, places = list(rows), list(Message.objects.order_by("pk").values("pk", "ticket_id"))
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    unmerge_ticket(second, actor=Actor.user(luca))
    assert list(rows) == before
    assert list(Message.objects.order_by("pk").values("pk", "ticket_id")) == places
    assert not ticket.followers.exists()
    assert TicketLink.objects.get().ticket_id == second.pk
    merge = Merge.objects.get()
    assert (merge.undone_by, merge.undone_at is not None) == (luca, True)
    assert newest_event(second).data["out_of"] == ticket.number
    assert newest_event(ticket).data["unmerged"] == second.number
    # And it may be done again.
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    assert fresh(second).merged_into == ticket


def test_what_was_written_meanwhile_goes_with_its_conversation(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer
) -> None:
    solve_ticket(second, actor=Actor.user(ana))
    conversation = second.conversations.get()
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    answer = reply(fresh(ticket), draft=MessageDraft(text="Sent"), author=ana)
    with at(now() + timedelta(minutes=1)):
        asked = receive_reply(
            conversation, draft=MessageDraft(text="Not here yet"), actor=Actor.customer(chiara)
        )
    unmerge_ticket(second, actor=Actor.user(ana))
    assert set(second.messages.values_list("pk", flat=True)) >= {answer.pk, asked.pk}
    back = fresh(second)
    # The customer has written since it was solved: it is not over.
    assert (back.status_category, back.waiting_since) == ("open", asked.occurred_at)
    assert back.excerpt == "Not here yet"
    assert fresh(ticket).excerpt.startswith("The glass is cracked")
    # The answer went to the other conversation: here the customer still waits.
    assert fresh(ticket).waiting_since == ticket.messages.get().occurred_at


def test_what_was_being_written_goes_back_to_where_it_was_begun(
    ticket: Ticket, second: Ticket, ana: User, luca: User, sara: User
) -> None:
    Draft.objects.create(ticket=ticket, author=ana, html="<p>one</p>")
    Draft.objects.create(ticket=second, author=ana, html="<p>two</p>", mode="note")
    Draft.objects.create(ticket=second, author=luca, html="<p>mine</p>")
    Draft.objects.create(ticket=second, author=sara, html="<p>Sent</p>")
    upload = Upload.objects.create(ticket=second, user=luca, name="a.png", size=5, file="a")
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    upload.refresh_from_db()
    assert upload.ticket == ticket
    Draft.objects.filter(author=luca).update(html="<p>mine, longer</p>")
    Draft.objects.filter(author=sara).delete()
    newer = Draft.objects.create(ticket=ticket, author=sara, html="<p>Begun since</p>")
    unmerge_ticket(second, actor=Actor.user(ana))
    told = {(one.author, one.ticket): (one.html, one.mode) for one in Draft.objects.all()}
    assert told == {
        (ana, ticket): ("<p>one</p>", "note"),
        (ana, second): ("<p>two</p>", "note"),
        (luca, second): ("<p>mine, longer</p>", "reply"),
        (sara, ticket): (newer.html, "reply"),
    }
    upload.refresh_from_db()
    assert upload.ticket == second


def test_what_was_meant_for_one_customer_is_not_sent_to_the_other(
    ticket: Ticket, ana: User, luca: User, orders: Team
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="ro")
    his = make_ticket(ion, text="My lamp too", team=orders)
    cc = {"cc": ["luigi@example.it"]}
    Draft.objects.create(ticket=his, author=ana, html="<p>Ion,</p>", recipients=cc)
    Draft.objects.create(ticket=ticket, author=luca, html="<p>Chiara,</p>", recipients=cc)
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    mine, theirs = (Draft.objects.get(author=one, ticket=ticket) for one in (ana, luca))
    assert (mine.html, mine.mode, mine.recipients) == ("<p>Ion,</p>", "note", {})
    # Whom Chiara copies gets nothing that is for Ion.
    assert (theirs.html, theirs.recipients) == ("<p>Chiara,</p>", {})
    unmerge_ticket(his, actor=Actor.user(ana))
    mine = Draft.objects.get(author=ana)
    assert (mine.ticket, mine.mode, mine.recipients) == (his, "reply", cc)


def test_only_a_standing_merge_is_taken_back(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    actor = Actor.user(ana)
    with refused(second, NotMerged):
        unmerge_ticket(second, actor=actor)
    third = make_ticket(chiara, text="Third", team=orders)
    merge_tickets(second, into=ticket, actor=actor)
    merge_tickets(ticket, into=third, actor=actor)
    with both_refused(second, third, WasMergedFurther):
        unmerge_ticket(second, actor=actor)
    unmerge_ticket(ticket, actor=actor)
    unmerge_ticket(second, actor=actor)
    assert {one.messages.count() for one in (ticket, second, third)} == {1}
    with refused(second, NotMerged):
        unmerge_ticket(second, actor=actor)


def test_a_call_moves_with_its_conversation(ticket: Ticket, second: Ticket, ana: User) -> None:
    call = log_call(second, call=CallDraft(CallOutcome.ANSWERED, text="Spoke"), user=ana)
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    call.message.refresh_from_db()
    assert call.message.ticket_id == ticket.pk
    # Nobody is answered in a call.
    assert fresh(ticket).newest_conversation.channel == "email"


# -- At once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_into_each_other_exactly_one_happens(
    ticket: Ticket, second: Ticket, ana: User, luca: User
) -> None:
    for _ in range(3):
        outcomes = at_once(
            lambda: merge_tickets(ticket, into=second, actor=Actor.user(ana)),
            lambda: merge_tickets(second, into=ticket, actor=Actor.user(luca)),
        )
        merges = [one for one in outcomes if isinstance(one, Merge)]
        refusals = [one for one in outcomes if isinstance(one, TicketIsMerged)]
        assert (len(merges), len(refusals)) == (1, 1), outcomes
        assert Message.objects.filter(ticket=merges[0].target).count() == 2
        unmerge_ticket(merges[0].source, actor=Actor.user(ana))


@pytest.mark.django_db(transaction=True)
def test_a_customer_who_writes_during_the_merge_lands_in_one_of_the_two(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer
) -> None:
    conversation = second.conversations.get()

    def write() -> Any:
        return receive_reply(
            Conversation.objects.get(pk=conversation.pk),
            draft=MessageDraft(text="Hello?"),
            actor=Actor.customer(chiara),
        )

    outcomes = at_once(
        write, lambda: merge_tickets(second, into=ticket, actor=Actor.user(ana)), write
    )
    assert not [one for one in outcomes if isinstance(one, Exception)], outcomes
    assert ticket.messages.count() == 4
    assert Ticket.objects.count() == 2
