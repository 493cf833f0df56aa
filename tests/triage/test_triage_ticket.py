import threading

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people.models import AssignmentMethod, Membership, Tier
from tests.conftest import make_ticket
from tickets.actions import (
    MessageDraft,
    close_ticket,
    open_ticket,
    receive_reply,
    set_category,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.models import Category, Channel, Kind, Priority, Ticket
from triage import lexicon
from triage.actions import triage_ticket
from triage.models import Keyword, SenderRule
from triage.reasons import sentences


@pytest.fixture
def refund(billing):
    parent = Category.objects.create(name="Billing", names={"it": "Pagamenti"}, team=billing)
    category = Category.objects.create(name="Refund", names={"it": "Rimborso"}, parent=parent)
    Keyword.objects.create(category=category, language="en", phrase="refund*")
    Keyword.objects.create(category=category, language="it", phrase="rimbors*")
    return category


def incoming(customer, subject="Question", text="Good morning", language="en", chosen=None):
    ticket = make_ticket(customer, subject=subject, text=text)
    email = customer.email
    return triage_ticket(
        ticket, text=text, subject=subject, sender=email, language=language, chosen=chosen
    )


def events(ticket, kind):
    return list(ticket.events.filter(kind=kind))


def said(ticket, kind):
    (event,) = events(ticket, kind)
    return sentences(event.data["reason"])


def test_a_request_is_filed_weighed_and_routed_with_reasons(chiara, refund, orders, billing):
    ticket = incoming(chiara, "My refund", "I need it by Friday, please")
    ticket.refresh_from_db()
    assert ticket.category == refund
    assert ticket.priority == Priority.HIGH
    assert ticket.team == billing
    assert said(ticket, Kind.CATEGORY_CHANGED) == ["Billing › Refund: “refund” in the subject"]
    assert said(ticket, Kind.PRIORITY_CHANGED) == ["Urgent: “need it by”"]
    assert said(ticket, Kind.TEAM_CHANGED) == ["Handles Billing"]


def test_triage_is_named_as_the_one_who_decided(chiara, refund):
    ticket = incoming(chiara, "My refund")
    (event,) = events(ticket, Kind.CATEGORY_CHANGED)
    assert (event.actor_kind, event.actor_name, event.actor_user) == ("rule", "Triage", None)
    assert event.data["reason"][0]["confidence"] == 0.75


def test_a_reason_keeps_the_categorys_name_in_every_language(chiara, refund):
    ticket = incoming(chiara, "Il mio rimborso", language="it")
    (event,) = events(ticket, Kind.CATEGORY_CHANGED)
    assert event.data["reason"][0]["categories"] == {"it": "Pagamenti › Rimborso"}


def test_what_the_customer_chose_stays(chiara, refund, orders):
    lamps = Category.objects.create(name="Lamps", team=orders)
    ticket = incoming(chiara, "My refund", chosen=lamps)
    assert ticket.category == lamps
    assert ticket.team == orders
    assert said(ticket, Kind.CATEGORY_CHANGED) == ["Chosen by the customer"]


def test_a_category_that_the_ticket_already_has_stays(chiara, refund):
    lamps = Category.objects.create(name="Lamps")
    ticket = make_ticket(chiara, subject="My refund")
    set_category(ticket, to=lamps, actor=Actor.customer(chiara))
    ticket.refresh_from_db()
    ticket = triage_ticket(ticket, text="refund", subject="refund", sender="", language="en")
    assert ticket.category == lamps


def test_the_senders_rule_decides_before_words(chiara, refund, orders):
    delivery = Category.objects.create(name="Delivery", team=orders)
    SenderRule.objects.create(pattern="example.it", category=delivery)
    ticket = incoming(chiara, "My refund")
    assert ticket.category == delivery
    assert said(ticket, Kind.CATEGORY_CHANGED) == ["Delivery: mail from example.it"]


def test_an_unknown_matter_goes_to_the_first_team_without_a_category(chiara, orders, billing):
    billing.position, orders.position = 1, 2
    billing.save()
    orders.save()
    ticket = incoming(chiara, "Hello", "Good morning")
    assert ticket.category is None
    assert ticket.team == billing
    assert said(ticket, Kind.TEAM_CHANGED) == ["No team handles this category"]


def test_a_company_without_teams_still_takes_requests(chiara):
    ticket = incoming(chiara, "Hello")
    assert (ticket.team, ticket.assignee, ticket.category) == (None, None, None)


def test_a_category_inherits_its_parents_priority(chiara, refund):
    Category.objects.filter(pk=refund.parent_id).update(priority=Priority.LOW)
    ticket = incoming(chiara, "My refund")
    assert ticket.priority == Priority.LOW
    assert said(ticket, Kind.PRIORITY_CHANGED) == ["This category starts at low priority"]


def test_a_vip_comes_sooner(chiara, orders):
    chiara.tier = Tier.VIP
    chiara.save()
    ticket = incoming(chiara)
    assert ticket.priority == Priority.HIGH
    assert said(ticket, Kind.PRIORITY_CHANGED) == ["VIP customer"]


def test_a_changed_keyword_holds_for_the_next_request(chiara, refund):
    assert incoming(chiara, "My refund").category == refund
    assert incoming(chiara, "My voucher").category is None
    Keyword.objects.create(category=refund, language="en", phrase="voucher")
    assert incoming(chiara, "My voucher").category == refund
    Keyword.objects.filter(phrase="voucher").update(phrase="gift card")  # no signal, no save()
    assert incoming(chiara, "My voucher").category is None
    Keyword.objects.all().delete()
    assert incoming(chiara, "My refund").category is None


def test_keeping_up_costs_one_query(refund, django_assert_num_queries):
    lexicon.current()
    with django_assert_num_queries(1):
        snapshot = lexicon.current()
    assert len(snapshot.lexicon.terms) == 2


def test_by_hand_nobody_is_assigned(chiara, orders, ana):
    assert incoming(chiara).assignee is None


@pytest.fixture
def in_turn(orders, ana, luca):
    orders.assignment_method = AssignmentMethod.ROUND_ROBIN
    orders.save()
    return [ana, luca]


def test_in_turn_even_when_the_clock_stands_still(chiara, in_turn):
    ana, luca = in_turn
    with time_machine.travel("2026-03-02T09:00Z", tick=False):
        picked = [incoming(chiara).assignee for _ in range(5)]
    assert picked == [ana, luca, ana, luca, ana]


def test_the_turn_and_its_reason_are_recorded(chiara, in_turn):
    ticket = incoming(chiara)
    assert said(ticket, Kind.ASSIGNED) == ["Ana Rusu is next in turn"]


def test_whoever_is_away_is_passed_over(chiara, in_turn):
    ana, luca = in_turn
    ana.is_available = False
    ana.save()
    assert {incoming(chiara).assignee for _ in range(3)} == {luca}


def test_nobody_gets_more_than_their_capacity(chiara, in_turn):
    for agent in in_turn:
        agent.capacity = 1
        agent.save()
    picked = [incoming(chiara).assignee for _ in range(3)]
    assert picked == [*in_turn, None]


def test_least_loaded_counts_what_waits_for_the_agent(chiara, orders, ana, luca):
    orders.assignment_method = AssignmentMethod.LEAST_LOADED
    orders.save()
    first, second = incoming(chiara), incoming(chiara)
    assert [first.assignee, second.assignee] == [ana, luca]
    solve_ticket(second, actor=Actor.user(luca))
    third = incoming(chiara)
    assert third.assignee == luca
    assert said(third, Kind.ASSIGNED) == ["Luca Bassi has the fewest open tickets: 0"]


def test_an_agent_who_left_gets_nothing(chiara, in_turn):
    ana, luca = in_turn
    ana.is_active = False
    ana.save()
    assert incoming(chiara).assignee == luca


def test_a_follow_up_keeps_team_and_category(chiara, refund, orders, billing):
    lamps = Category.objects.create(name="Lamps", team=orders)
    ticket = incoming(chiara, "Lamp", chosen=lamps)
    solve_ticket(ticket, actor=Actor.system())
    close_ticket(ticket, actor=Actor.system())
    message = receive_reply(
        ticket.conversations.get(),
        draft=MessageDraft(text="And my refund?"),
        actor=Actor.customer(chiara),
    )
    follow_up = message.ticket
    assert follow_up != ticket
    follow_up = triage_ticket(
        follow_up, text="And my refund?", subject="Refund", sender="", language="en"
    )
    assert (follow_up.category, follow_up.team) == (lamps, orders)


def test_triage_stays_cheap(chiara, refund, orders, billing):
    incoming(chiara, "My refund")
    ticket = make_ticket(chiara, subject="My refund", text="urgent refund")
    with CaptureQueriesContext(connection) as queries:
        triage_ticket(ticket, text="urgent refund", subject="Refund", sender="", language="en")
    own = [q for q in queries if "SAVEPOINT" not in q["sql"]]
    # The snapshot's fingerprint; lock, update, event and owed facts for each of three changes; and
    # who follows it for the two of them that followers are told of.
    assert len(own) <= 15, [q["sql"][:80] for q in own]


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_fall_on_different_agents(chiara, in_turn):
    requests = 6
    together = threading.Barrier(requests)
    failures = []

    def come_in():
        try:
            together.wait(timeout=10)
            incoming(chiara)
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=come_in) for _ in range(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert failures == []
    shares = [Ticket.objects.filter(assignee=agent).count() for agent in in_turn]
    assert shares == [3, 3]
    assert Membership.objects.filter(last_assigned_at=None).count() == 0


def test_tickets_opened_by_an_agent_are_triaged_alike(chiara, refund, ana):
    ticket = open_ticket(
        customer=chiara,
        subject="Your refund",
        channel=Channel.PHONE,
        draft=MessageDraft(text="As promised on the phone."),
        actor=Actor.user(ana),
    )
    ticket = triage_ticket(ticket, text="", subject="Your refund", sender="", language="en")
    assert ticket.category == refund
