"""The company's own fields on a ticket's page: read, changed in place, and asked for on solving."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.models import User
from tickets.actions import set_category, set_fields
from tickets.actor import Actor
from tickets.models import (
    Category,
    CategoryField,
    CustomField,
    FieldKind,
    Status,
    StatusCategory,
    Ticket,
)

LogIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def order(db: None) -> CustomField:
    return CustomField.objects.create(
        key="order", name="Order", names={"it": "Ordine"}, kind="text"
    )


@pytest.fixture
def colour(db: None) -> CustomField:
    return CustomField.objects.create(
        key="colour",
        name="Colour",
        kind=FieldKind.MULTI_CHOICE,
        choices=[{"key": "red", "name": "Red"}, {"key": "blue", "name": "<b>Blue</b>"}],
    )


@pytest.fixture
def damage(ticket: Ticket, order: CustomField) -> Category:
    """The ticket's category; its tickets need an order to be solved."""
    category = Category.objects.create(name="Damage")
    CategoryField.objects.create(category=category, field=order, is_required=True)
    set_category(ticket, to=category, actor=Actor.system())
    ticket.refresh_from_db()
    return category


def part(html: str) -> str:
    return html[
        html.index('id="ticket-fields"') : html.index(
            "</section>", html.index('id="ticket-fields"')
        )
    ]


def show(client: Client, ticket: Ticket) -> str:
    return part(client.get(reverse("desk_ticket", args=[ticket.number])).content.decode())


def save(client: Client, ticket: Ticket, **values: Any) -> Any:
    headers = values.pop("headers", None)
    ticket.refresh_from_db()
    data = {"seen": ticket.version, "shown": ["order", "colour"]} | values
    return client.post(reverse("desk_fields", args=[ticket.number]), data, headers=headers)


def test_fields_are_read_and_changed_where_they_stand(
    log_in: LogIn, ana: User, ticket: Ticket, order: CustomField, colour: CustomField
) -> None:
    client = log_in(ana)
    answer = save(client, ticket, **{"field-order": " 55-1188 ", "field-colour": ["blue", "red"]})
    assert answer.status_code == 302
    ticket.refresh_from_db()
    assert ticket.fields == {"order": "55-1188", "colour": ["red", "blue"]}
    html = show(client, ticket)
    assert "55-1188" in html
    assert "Red, &lt;b&gt;Blue&lt;/b&gt;" in html
    assert re.search(r'value="red" checked', html)

    # A box that is not ticked any more sends nothing.
    save(client, ticket, **{"field-order": "55-1188"})
    ticket.refresh_from_db()
    assert ticket.fields == {"order": "55-1188"}


def test_a_value_that_cannot_be_is_said_beside_it_and_kept(
    log_in: LogIn, ana: User, ticket: Ticket, order: CustomField
) -> None:
    CustomField.objects.create(key="count", name="Count", kind=FieldKind.NUMBER)
    values = {"shown": ["order", "count"], "field-order": "7", "field-count": "many <b>"}
    answer = save(log_in(ana), ticket, headers=HTMX, **values)
    assert answer.status_code == 422
    html = part(answer.content.decode())
    assert "<details open" in html
    assert "Write a number" in html
    assert 'value="many &lt;b&gt;"' in html
    assert 'value="7"' in html
    assert Ticket.objects.get(pk=ticket.pk).fields == {}


def test_the_later_of_two_keeps_what_was_typed_and_sees_what_changed(
    log_in: LogIn, ana: User, luca: User, ticket: Ticket, order: CustomField
) -> None:
    seen = ticket.version
    set_fields(ticket, to={"order": "1"}, actor=Actor.user(luca))
    answer = log_in(ana).post(
        reverse("desk_fields", args=[ticket.number]),
        {"seen": seen, "shown": "order", "field-order": "2"},
        headers=HTMX,
    )
    assert answer.status_code == 409
    html = part(answer.content.decode())
    assert 'value="2"' in html
    assert f'name="seen" value="{Ticket.objects.get(pk=ticket.pk).version}"' in html
    assert Ticket.objects.get(pk=ticket.pk).fields == {"order": "1"}


def test_solving_what_lacks_a_field_names_it_and_leads_there(
    log_in: LogIn, ana: User, ticket: Ticket, damage: Category
) -> None:
    solved = Status.objects.default_for(StatusCategory.SOLVED)
    answer = log_in(ana).post(
        reverse("desk_change", args=[ticket.number]),
        {"seen": ticket.version, "property": "status", "value": solved.pk},
        headers=HTMX,
    )
    assert answer.status_code == 422
    html = answer.content.decode()
    assert "Before it is solved, fill in: Order." in html
    assert re.search(r'id="field-order"[^>]*data-focus', part(html))
    assert Ticket.objects.get(pk=ticket.pk).version == ticket.version


def test_a_field_is_shown_where_its_category_or_one_above_names_it(
    log_in: LogIn, ana: User, ticket: Ticket, damage: Category, colour: CustomField
) -> None:
    client = log_in(ana)
    other = Category.objects.create(name="Billing")
    CategoryField.objects.create(category=other, field=colour)
    assert "Order" in show(client, ticket)
    assert "1 needed to solve" in show(client, ticket)
    assert "Colour" not in show(client, ticket)
    below = Category.objects.create(name="Refund", parent=other)
    set_category(ticket, to=below, actor=Actor.system())
    assert "Order" not in show(client, ticket)
    assert "Colour" in show(client, ticket)


def test_nobody_changes_the_fields_of_a_ticket_that_they_may_not_see(
    log_in: LogIn, petra: User, ticket: Ticket, order: CustomField
) -> None:
    assert save(log_in(petra), ticket, **{"field-order": "x"}).status_code == 404
    assert log_in(petra).get(reverse("desk_fields", args=[ticket.number])).status_code == 404
    assert save(Client(), ticket, **{"field-order": "x"}).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).fields == {}


def test_a_field_that_the_form_does_not_show_stays_as_it_is(
    log_in: LogIn, ana: User, ticket: Ticket, order: CustomField, colour: CustomField
) -> None:
    set_fields(ticket, to={"colour": ["red"]}, actor=Actor.system())
    save(log_in(ana), ticket, shown=["order"], **{"field-order": "1", "field-colour": "blue"})
    assert Ticket.objects.get(pk=ticket.pk).fields == {"order": "1", "colour": ["red"]}
