"""Two records are one person, or are not after all: what moves, what stays, and who wins."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone

from people.actions import (
    CustomerWasMerged,
    add_identity,
    add_touchpoint,
    change_customer,
    note_customer,
    recognise,
    set_attributes,
)
from people.actions.merging import MergeIsBuried, MergeWasUndone, SameCustomer
from people.models import (
    Change,
    Customer,
    CustomerMerge,
    Identity,
    Organisation,
    Team,
    TouchpointKind,
    User,
)
from surveys.actions import owe_survey, send_survey
from tests.at_once import at_once
from tests.conftest import make_ticket
from tickets.actions import (
    MessageDraft,
    change_requester,
    open_ticket,
    receive_reply,
    solve_ticket,
)
from tickets.actions.customers import merge_customers, unmerge_customers
from tickets.actor import Actor
from tickets.models import Channel, Kind, Ticket


@pytest.fixture
def private(db: None) -> Customer:
    """Chiara again, from her other address."""
    return recognise(email="chiara.b@private.example", name="C. Bellini", language="it")


def test_the_kept_record_has_everything_and_the_other_leads_to_it(
    chiara: Customer, private: Customer, orders: Team, sara: User, ticket: Ticket
) -> None:
    theirs = make_ticket(private, team=orders)
    add_identity(private, kind="phone", value="+39 333 123 4567", actor=sara)
    note_customer(private, text="Calls in the evening.", author=sara)
    add_touchpoint(private, kind=TouchpointKind.BOUGHT, name="Order 7", occurred_at=timezone.now())
    merge_customers(chiara, private, actor=sara)
    theirs.refresh_from_db()
    private.refresh_from_db()
    assert theirs.customer == chiara
    assert theirs.conversations.get().customer == chiara
    assert [one.value for one in chiara.identities.all()] == [
        "chiara@example.it",
        "chiara.b@private.example",
        "+393331234567",
    ]
    assert chiara.notes.get().text == "Calls in the evening."
    assert chiara.touchpoints.get().name == "Order 7"
    assert private.kept == chiara
    assert recognise(email="chiara.b@private.example") == chiara
    assert Change.objects.get(verb="merged").subject_name == "C. Bellini"


def test_the_history_keeps_whom_each_message_and_event_came_from(
    chiara: Customer, private: Customer, orders: Team, sara: User
) -> None:
    theirs = make_ticket(private, team=orders)
    before = list(theirs.events.in_order().values_list("pk", "actor_customer", "actor_name"))
    merge_customers(chiara, private, actor=sara)
    after = list(theirs.events.in_order().values_list("pk", "actor_customer", "actor_name"))
    assert after[:-1] == before
    assert theirs.messages.get().author_customer == private
    moved = theirs.events.in_order().last()
    assert moved
    assert (moved.kind, moved.actor_user) == (Kind.REQUESTER_CHANGED, sara)
    assert (moved.data["before"], moved.data["after"]) == (private.pk, chiara.pk)


def test_the_kept_record_gains_what_it_lacks_and_loses_nothing(
    chiara: Customer, private: Customer, sara: User
) -> None:
    firm = Organisation.objects.create(name="Bellini & Figli")
    change_customer(
        private,
        {"tier": "vip", "organisation": firm, "accepts_surveys": False},
        actor=sara,
    )
    set_attributes(private, {"City": "Bari", "Size": "38"}, actor=sara)
    set_attributes(chiara, {"City": "Lecce"}, actor=sara)
    merge_customers(chiara, private, actor=sara)
    chiara.refresh_from_db()
    assert (chiara.name, chiara.language, chiara.tier) == ("Chiara Bellini", "en", "vip")
    assert chiara.organisation == firm
    assert chiara.accepts_surveys is False
    assert chiara.attributes == {"City": "Lecce", "Size": "38"}


def test_undone_everything_is_where_it_was(
    chiara: Customer, private: Customer, orders: Team, sara: User, ticket: Ticket
) -> None:
    theirs = make_ticket(private, team=orders)
    note_customer(private, text="Theirs", author=sara)
    note_customer(chiara, text="Hers", author=sara)
    change_customer(private, {"tier": "vip"}, actor=sara)
    set_attributes(private, {"Size": "38"}, actor=sara)
    merge = merge_customers(chiara, private, actor=sara)
    set_attributes(chiara, {"Since": "2024"}, actor=sara)
    unmerge_customers(merge, actor=sara)
    for row in (chiara, private, theirs, ticket):
        row.refresh_from_db()
    assert (ticket.customer, theirs.customer) == (chiara, private)
    assert theirs.conversations.get().customer == private
    assert [one.text for one in chiara.notes.all()] == ["Hers"]
    assert [one.text for one in private.notes.all()] == ["Theirs"]
    assert [one.value for one in chiara.identities.all()] == ["chiara@example.it"]
    assert (chiara.tier, private.tier) == ("standard", "vip")
    assert (chiara.attributes, private.attributes) == ({"Since": "2024"}, {"Size": "38"})
    assert private.merged_into is None
    assert recognise(email="chiara.b@private.example") == private


def test_what_came_since_under_the_others_address_goes_back_with_it(
    chiara: Customer, private: Customer, orders: Team, sara: User
) -> None:
    merge = merge_customers(chiara, private, actor=sara)
    since = [
        open_ticket(
            customer=chiara,
            subject=address,
            channel=Channel.EMAIL,
            draft=MessageDraft(text="Hello"),
            actor=Actor.customer(chiara),
            identity=Identity.objects.get(value=address),
        )
        for address in ("chiara@example.it", "chiara.b@private.example")
    ]
    unmerge_customers(merge, actor=sara)
    assert [Ticket.objects.get(pk=one.pk).customer for one in since] == [chiara, private]


def test_what_somebody_changed_since_stays_when_the_merge_is_undone(
    chiara: Customer, private: Customer, sara: User
) -> None:
    change_customer(private, {"tier": "vip"}, actor=sara)
    merge = merge_customers(chiara, private, actor=sara)
    change_customer(chiara, {"tier": "plus"}, actor=sara)
    unmerge_customers(merge, actor=sara)
    chiara.refresh_from_db()
    assert chiara.tier == "plus"


def test_a_merge_is_undone_once_and_from_the_newest_to_the_oldest(
    chiara: Customer, private: Customer, sara: User
) -> None:
    third = recognise(email="third@example.it", name="Third")
    first = merge_customers(chiara, private, actor=sara)
    second = merge_customers(third, chiara, actor=sara)
    with pytest.raises(MergeIsBuried):
        unmerge_customers(first, actor=sara)
    private.refresh_from_db()
    assert private.kept == third
    unmerge_customers(second, actor=sara)
    unmerge_customers(first, actor=sara)
    with pytest.raises(MergeWasUndone):
        unmerge_customers(first, actor=sara)
    assert CustomerMerge.objects.standing().count() == 0


def test_a_record_that_was_merged_takes_no_change_and_no_second_merge(
    chiara: Customer, private: Customer, sara: User
) -> None:
    third = recognise(email="third@example.it", name="Third")
    merge_customers(chiara, private, actor=sara)
    for change in (
        lambda: merge_customers(third, private, actor=sara),
        lambda: merge_customers(private, third, actor=sara),
        lambda: change_customer(private, {"name": "Nobody"}, actor=sara),
        lambda: note_customer(private, text="Lost", author=sara),
    ):
        with pytest.raises(CustomerWasMerged):
            change()
    with pytest.raises(SameCustomer):
        merge_customers(chiara, chiara, actor=sara)
    private.refresh_from_db()
    third.refresh_from_db()
    assert (private.name, third.merged_into) == ("C. Bellini", None)


def test_a_ticket_that_is_opened_for_a_merged_record_is_the_kept_ones(
    chiara: Customer, private: Customer, sara: User
) -> None:
    merge_customers(chiara, private, actor=sara)
    # As it was loaded before the merge.
    ticket = make_ticket(private)
    assert ticket.customer == chiara
    assert ticket.conversations.get().customer == chiara


def test_a_survey_that_was_owed_to_the_merged_record_reaches_its_person(
    chiara: Customer, private: Customer, orders: Team, ana: User, sara: User
) -> None:
    theirs = make_ticket(private, team=orders)
    solve_ticket(theirs, actor=Actor.user(ana))
    survey = owe_survey(theirs)
    assert survey
    merge_customers(chiara, private, actor=sara)
    survey.refresh_from_db()
    mail = send_survey(survey)
    assert (mail.to_address, mail.to_name) == ("chiara@example.it", "Chiara Bellini")
    survey.refresh_from_db()
    assert survey.customer == chiara


def test_a_mail_from_the_merged_address_goes_on_in_its_conversation(
    chiara: Customer, private: Customer, orders: Team, sara: User
) -> None:
    theirs = make_ticket(private, team=orders)
    conversation = theirs.conversations.get()
    merge_customers(chiara, private, actor=sara)
    conversation.refresh_from_db()
    assert conversation.identity
    assert conversation.identity.value == "chiara.b@private.example"
    message = receive_reply(
        conversation, draft=MessageDraft(text="And?"), actor=Actor.customer(conversation.customer)
    )
    assert message.author_customer == chiara


@pytest.mark.django_db(transaction=True)
def test_of_two_who_merge_the_same_two_the_other_way_round_one_wins(
    chiara: Customer, sara: User, admin: User
) -> None:
    private = recognise(email="chiara.b@private.example", name="C. Bellini")
    make_ticket(chiara)
    make_ticket(private)
    results = at_once(
        lambda: merge_customers(chiara, private, actor=sara),
        lambda: merge_customers(private, chiara, actor=admin),
    )
    won = [one for one in results if isinstance(one, CustomerMerge)]
    lost = [one for one in results if isinstance(one, CustomerWasMerged)]
    assert (len(won), len(lost)) == (1, 1)
    assert set(Ticket.objects.values_list("customer", flat=True)) == {won[0].kept_id}
    assert CustomerMerge.objects.standing().get() == won[0]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_stranded_on_a_record_that_is_merged_while_they_write(
    chiara: Customer, sara: User
) -> None:
    private = recognise(email="chiara.b@private.example", name="C. Bellini")
    writers = [lambda: make_ticket(private) for _ in range(4)]
    at_once(*writers, lambda: merge_customers(chiara, private, actor=sara))
    assert Ticket.objects.count() == 4
    assert set(Ticket.objects.values_list("customer", flat=True)) == {chiara.pk}


@pytest.mark.django_db(transaction=True)
def test_a_ticket_is_given_to_somebody_who_is_being_merged_and_neither_waits_for_ever(
    chiara: Customer, sara: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = recognise(email="chiara.b@private.example", name="C. Bellini")
    ticket = make_ticket(private)
    both_hold_theirs, merging = threading.Barrier(2), threading.local()
    customers, tickets = type(Customer.objects.all()), type(Ticket.objects.all())
    held, locked = customers.held, tickets.locked

    def wait(is_merging: bool) -> None:
        if getattr(merging, "is_mine", False) == is_merging:
            both_hold_theirs.wait(timeout=10)

    def waits_to_hold(rows: Any, customer: Customer) -> Customer:
        wait(False)
        return held(rows, customer)

    def waits_to_lock(rows: Any) -> Any:
        wait(True)
        return locked(rows)

    monkeypatch.setattr(customers, "held", waits_to_hold)
    monkeypatch.setattr(tickets, "locked", waits_to_lock)

    def merge() -> CustomerMerge:
        merging.is_mine = True
        return merge_customers(chiara, private, actor=sara)

    given, merged = at_once(
        lambda: change_requester(ticket, to=chiara, shows_history=True, actor=Actor.user(admin)),
        merge,
    )
    assert isinstance(merged, CustomerMerge), merged
    assert isinstance(given, Ticket), given
    assert Ticket.objects.get().customer == chiara


def test_more_tickets_than_one_click_moves_are_refused_whole(
    chiara: Customer,
    private: Customer,
    sara: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tickets.actions import customers

    monkeypatch.setattr(customers, "MOST_TICKETS", 1)
    theirs = [make_ticket(private), make_ticket(private)]
    with pytest.raises(customers.TooManyTickets):
        merge_customers(chiara, private, actor=sara)
    private.refresh_from_db()
    assert private.merged_into is None
    assert [Ticket.objects.get(pk=one.pk).customer for one in theirs] == [private, private]
