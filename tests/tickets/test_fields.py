"""A company's own fields: what they take, and that nothing is solved without those it needs."""

from __future__ import annotations

from typing import Any

import pytest

from people.models import Customer, User
from tickets.actions import (
    FieldsAreMissing,
    MessageDraft,
    TicketHasChanged,
    reply,
    set_category,
    set_fields,
    set_status,
    solve_ticket,
)
from tickets.actor import Actor
from tickets.fields import FieldsAreWrong
from tickets.models import (
    Category,
    CategoryField,
    CustomField,
    FieldKind,
    Kind,
    Status,
    StatusCategory,
    Ticket,
)

COLOURS = [{"key": "red", "name": "Red", "names": {"it": "Rosso"}}, {"key": "blue", "name": "Blue"}]


def field(key: str, kind: FieldKind = FieldKind.TEXT, **more: Any) -> CustomField:
    return CustomField.objects.create(key=key, name=key.title(), kind=kind, **more)


@pytest.fixture
def refund(db: None) -> Category:
    """Billing › Refund."""
    return Category.objects.create(name="Refund", parent=Category.objects.create(name="Billing"))


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        (FieldKind.TEXT, "  55-1188\r\nBcc: x@y.example ", "55-1188 Bcc: x@y.example"),
        (FieldKind.NUMBER, "12,50", 12.5),
        (FieldKind.NUMBER, "12", 12),
        (FieldKind.NUMBER, 0, 0),
        (FieldKind.DATE, "2026-11-22", "2026-11-22"),
        (FieldKind.CHOICE, "red", "red"),
        (FieldKind.MULTI_CHOICE, ["blue", "red", "blue"], ["red", "blue"]),
        (FieldKind.CHECKBOX, "on", True),
    ],
)
def test_each_kind_keeps_a_value_in_one_form(
    ana: User, ticket: Ticket, kind: FieldKind, given: Any, stored: Any
) -> None:
    field("it", kind, choices=COLOURS)
    set_fields(ticket, to={"it": given}, actor=Actor.user(ana))
    assert Ticket.objects.get(pk=ticket.pk).fields == {"it": stored}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (FieldKind.TEXT, "x" * 501),
        (FieldKind.TEXT, {"a": 1}),
        (FieldKind.NUMBER, "twelve"),
        (FieldKind.NUMBER, "1.000,5"),
        (FieldKind.NUMBER, "NaN"),
        (FieldKind.NUMBER, True),
        (FieldKind.NUMBER, "1" * 5000),
        (FieldKind.NUMBER, 1e300),
        (FieldKind.DATE, "22/11/2026"),
        (FieldKind.DATE, "2026-02-30"),
        (FieldKind.DATE, 20261122),
        (FieldKind.CHOICE, "green"),
        (FieldKind.CHOICE, ["red"]),
        (FieldKind.MULTI_CHOICE, ["red", "green"]),
        (FieldKind.MULTI_CHOICE, {"red": 1}),
        (FieldKind.CHECKBOX, "maybe"),
    ],
)
def test_what_a_field_cannot_be_is_refused_by_its_name(
    ana: User, ticket: Ticket, kind: FieldKind, given: Any
) -> None:
    field("it", kind, choices=COLOURS)
    field("other")
    with pytest.raises(FieldsAreWrong) as refused:
        set_fields(ticket, to={"other": "fine", "it": given}, actor=Actor.user(ana))
    assert list(refused.value.errors) == ["it"]
    fresh = Ticket.objects.get(pk=ticket.pk)
    assert (fresh.fields, fresh.version) == ({}, ticket.version)


def test_the_history_says_what_a_field_was_and_is(ana: User, ticket: Ticket) -> None:
    field("order")
    field("colour", FieldKind.CHOICE, choices=COLOURS)
    actor = Actor.user(ana)
    set_fields(ticket, to={"order": "55-1188", "colour": "red"}, actor=actor)
    set_fields(ticket, to={"order": "55-1188", "colour": ""}, actor=actor)
    set_fields(ticket, to={"order": "55-1188"}, actor=actor)
    told = ticket.events.filter(kind=Kind.FIELDS_CHANGED).in_order()
    assert [event.data["before"] for event in told] == [
        {"order": None, "colour": None},
        {"colour": "red"},
    ]
    assert [event.data["after"] for event in told] == [
        {"order": "55-1188", "colour": "red"},
        {"colour": None},
    ]
    assert Ticket.objects.get(pk=ticket.pk).fields == {"order": "55-1188"}


def test_an_unknown_field_and_one_that_is_archived_are_refused(ana: User, ticket: Ticket) -> None:
    field("gone", archived_at="2026-01-01T00:00Z")
    for key in ("gone", "__class__", ""):
        with pytest.raises(FieldsAreWrong):
            set_fields(ticket, to={key: "x"}, actor=Actor.user(ana))
    assert Ticket.objects.get(pk=ticket.pk).fields == {}


def test_the_later_of_two_changes_nothing(ana: User, luca: User, ticket: Ticket) -> None:
    field("order")
    seen = ticket.version
    set_fields(ticket, to={"order": "1"}, actor=Actor.user(ana), seen=seen)
    with pytest.raises(TicketHasChanged):
        set_fields(ticket, to={"order": "2"}, actor=Actor.user(luca), seen=seen)
    assert Ticket.objects.get(pk=ticket.pk).fields == {"order": "1"}


def test_a_ticket_is_not_solved_without_what_a_category_above_its_own_requires(
    ana: User, ticket: Ticket, refund: Category
) -> None:
    assert refund.parent
    CategoryField.objects.create(category=refund.parent, field=field("order"), is_required=True)
    CategoryField.objects.create(category=refund, field=field("note"))
    actor = Actor.user(ana)
    ticket = set_category(ticket, to=refund, actor=actor)
    solved = Status.objects.default_for(StatusCategory.SOLVED)
    for attempt in (
        lambda: solve_ticket(ticket, actor=actor),
        lambda: set_status(ticket, to=solved, actor=actor),
        lambda: reply(ticket, draft=MessageDraft(text="Done"), author=ana, then=solved),
    ):
        with pytest.raises(FieldsAreMissing) as refused:
            attempt()
        assert [one.key for one in refused.value.fields] == ["order"]
    fresh = Ticket.objects.get(pk=ticket.pk)
    assert (fresh.status_category, fresh.version) == (ticket.status_category, ticket.version)
    assert fresh.messages.count() == 1

    set_fields(ticket, to={"order": "55-1188"}, actor=actor)
    assert solve_ticket(ticket, actor=actor).is_over


def test_another_category_and_an_archived_field_require_nothing(
    ana: User, ticket: Ticket, refund: Category
) -> None:
    other = Category.objects.create(name="Delivery")
    old = field("old", archived_at="2026-01-01T00:00Z")
    CategoryField.objects.create(category=refund, field=old, is_required=True)
    CategoryField.objects.create(category=other, field=field("order"), is_required=True)
    actor = Actor.user(ana)
    ticket = set_category(ticket, to=refund, actor=actor)
    assert solve_ticket(ticket, actor=actor).is_over


def test_a_customer_who_says_that_it_is_solved_is_not_asked_for_fields(
    chiara: Customer, ticket: Ticket, refund: Category
) -> None:
    CategoryField.objects.create(category=refund, field=field("order"), is_required=True)
    ticket = set_category(ticket, to=refund, actor=Actor.system())
    assert solve_ticket(ticket, actor=Actor.customer(chiara)).is_over
