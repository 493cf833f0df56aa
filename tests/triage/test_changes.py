from datetime import timedelta

import pytest
from django.utils import timezone

from people.models import User
from tests.conftest import make_ticket
from tickets.actions import NotOnTeam, TicketHasChanged, close_ticket, solve_ticket
from tickets.actor import Actor
from tickets.models import Category, CustomField, Kind, Mark, Priority, Status, StatusCategory
from triage.changes import UnknownChange, apply_changes, check_changes


def kinds(ticket, *, since):
    return [event.kind for event in ticket.events.in_order().filter(version__gt=since)]


def test_every_property_is_changed_and_recorded_as_one_persons_work(ticket, ana, orders):
    category = Category.objects.create(name="Damage")
    pending = Status.objects.default_for(StatusCategory.PENDING)
    before = ticket.version
    changed = apply_changes(
        ticket,
        [
            {"set": "status", "to": pending.pk},
            {"set": "priority", "to": "urgent"},
            {"set": "category", "to": str(category.pk)},
            {"set": "type", "to": "incident"},
            {"set": "assignee", "to": "me"},
            {"set": "tags", "to": ["VIP", "fragile"]},
            {"set": "mark", "to": "test"},
        ],
        Actor.user(ana),
        seen=ticket.version,
    )
    changed.refresh_from_db()
    assert (changed.status, changed.priority, changed.category) == (
        pending,
        Priority.URGENT,
        category,
    )
    assert (changed.type, changed.assignee, changed.mark) == ("incident", ana, Mark.TEST)
    assert changed.tags == ["fragile", "vip"]
    events = ticket.events.filter(version__gt=before)
    assert {event.actor_user for event in events} == {ana}
    assert set(kinds(ticket, since=before)) == {
        Kind.STATUS_CHANGED,
        Kind.PRIORITY_CHANGED,
        Kind.CATEGORY_CHANGED,
        Kind.TYPE_CHANGED,
        Kind.ASSIGNED,
        Kind.TAGS_CHANGED,
        Kind.MARKED,
    }


def test_the_team_comes_before_its_assignee_and_the_status_last(ticket, petra, sara, billing):
    before = ticket.version
    apply_changes(
        ticket,
        [
            {"set": "status", "to": "solved"},
            {"set": "assignee", "to": petra.pk},
            {"set": "team", "to": billing.pk},
        ],
        Actor.user(sara),
    )
    assert kinds(ticket, since=before) == [Kind.TEAM_CHANGED, Kind.ASSIGNED, Kind.SOLVED]


def test_tags_are_added_and_removed_beside_those_that_are_there(ticket, ana):
    actor = Actor.user(ana)
    apply_changes(ticket, [{"set": "tags", "to": ["a", "b"]}], actor)
    changed = apply_changes(
        ticket, [{"add": "tags", "to": ["C"]}, {"remove": "tags", "to": ["B"]}], actor
    )
    assert changed.tags == ["a", "c"]


def test_what_is_so_already_is_no_change(ticket, ana):
    before = ticket.version
    changed = apply_changes(
        ticket,
        [{"set": "priority", "to": "normal"}, {"set": "assignee", "to": None}],
        Actor.user(ana),
    )
    assert changed.version == before
    assert kinds(ticket, since=before) == []


@pytest.mark.parametrize(
    "change",
    [
        {"set": "status", "to": 987654},
        {"set": "status", "to": []},
        {"set": "priority", "to": "enormous"},
        {"set": "priority", "to": 3},
        {"set": "team", "to": "99999999999999999999999"},
        {"set": "assignee", "to": {}},
        {"set": "tags", "to": [1]},
        {"set": "mark", "to": "dull"},
        {"set": "version", "to": 9},
        {"set": "due", "to": "tomorrow"},
        {"set": "due", "to": {"days": 3}},
        {"set": "due", "to": {"hours": 1e300}},
        {"set": "snooze", "to": ["reply"]},
        {"set": "field:no_such", "to": "x"},
        {"add": "field:order_number", "to": "x"},
        {"remove": "status", "to": 1},
        {"set": "status"},
        {"set": "status", "to": 1, "and": 2},
        "status",
    ],
)
def test_a_change_that_names_nothing_refuses_all_of_them(ticket, ana, change):
    before = ticket.version
    with pytest.raises(UnknownChange):
        apply_changes(ticket, [{"add": "tags", "to": ["vip"]}, change], Actor.user(ana))
    ticket.refresh_from_db()
    assert (ticket.version, ticket.tags) == (before, [])


def test_one_refusal_undoes_the_others(ticket, ana, petra):
    before = ticket.version
    with pytest.raises(NotOnTeam):
        apply_changes(
            ticket,
            [{"add": "tags", "to": ["vip"]}, {"set": "assignee", "to": petra.pk}],
            Actor.user(ana),
        )
    ticket.refresh_from_db()
    assert (ticket.version, ticket.tags, ticket.assignee) == (before, [], None)


def test_changes_made_on_an_older_version_are_refused(ticket, ana):
    actor = Actor.user(ana)
    apply_changes(ticket, [{"set": "type", "to": "task"}], actor)
    with pytest.raises(TicketHasChanged):
        apply_changes(ticket, [{"set": "type", "to": "problem"}], actor, seen=ticket.version)
    ticket.refresh_from_db()
    assert ticket.type == "task"


def test_a_closed_ticket_can_still_be_marked(chiara, ana):
    ticket = make_ticket(chiara)
    solve_ticket(ticket, actor=Actor.user(ana))
    close_ticket(ticket, actor=Actor.system())
    changed = apply_changes(ticket, [{"set": "mark", "to": "spam"}], Actor.user(ana))
    assert changed.mark == Mark.SPAM


def test_a_rule_is_nobody_who_could_be_me(ticket):
    with pytest.raises(UnknownChange):
        apply_changes(ticket, [{"set": "assignee", "to": "me"}], Actor.rule("Night"))
    assert User.objects.count() == 0


def test_due_snooze_follow_and_the_companys_own_fields(ticket, ana):
    CustomField.objects.create(key="order_number", name="Order", kind="text")
    before = ticket.version
    changed = apply_changes(
        ticket,
        [
            {"set": "snooze", "to": "reply"},
            {"set": "due", "to": {"hours": 24}},
            {"set": "follow", "to": True},
            {"set": "status", "to": "pending"},
            {"set": "field:order_number", "to": "55-1188"},
        ],
        Actor.user(ana),
    )
    assert kinds(ticket, since=before) == [
        Kind.DUE_CHANGED,
        Kind.FIELDS_CHANGED,
        Kind.STATUS_CHANGED,
        Kind.SNOOZED,
    ]
    assert changed.is_snoozed
    assert changed.fields == {"order_number": "55-1188"}
    assert changed.due_at - timezone.now() < timedelta(hours=24)
    assert ticket.followers.get().user == ana
    changed = apply_changes(
        ticket,
        [{"set": "snooze", "to": None}, {"set": "due", "to": None}, {"set": "follow", "to": False}],
        Actor.user(ana),
    )
    assert (changed.is_snoozed, changed.due_at) == (False, None)
    assert not ticket.followers.exists()
    changed = apply_changes(ticket, [{"set": "due", "to": "2030-01-02T10:00Z"}], Actor.user(ana))
    assert changed.due_at.isoformat() == "2030-01-02T10:00:00+00:00"


def test_what_a_form_sends_is_looked_at_before_it_is_kept():
    check_changes([{"add": "tags", "to": ["vip"]}])
    for wrong in ({}, [{"add": "status", "to": 1}], [["set"]], None):
        with pytest.raises(UnknownChange):
            check_changes(wrong)
