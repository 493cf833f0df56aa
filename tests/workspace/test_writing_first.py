"""An agent writes first: the ticket, the mail, and that nobody waited for an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from messaging.models import OutgoingMail
from metrics.actions import facts_of
from people.actions import add_identity, recognise, remove_identity
from people.models import Customer, Team, User
from tickets.actions import MessageDraft, receive_reply, reply
from tickets.actor import Actor
from tickets.models import Kind, MessageKind, Ticket

LogIn = Callable[[User], Client]


def url_of(customer: Customer) -> str:
    return reverse("desk_customer_write", args=[customer.pk])


def typed(client: Client, customer: Customer, **more: Any) -> dict[str, Any]:
    """The form as it was given out, filled in."""
    form = client.get(url_of(customer)).context["form"]
    return {
        "identity": form.fields["identity"].choices[0][0],
        "team": form.fields["team"].choices[0][0],
        "key": form.initial["key"],
        "subject": "Your lamp is back in stock",
        "text": "Shall we send it?\r\nAna",
        **more,
    }


def test_writing_first_opens_a_ticket_of_ours_and_mails_it(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    client = log_in(ana)
    file = SimpleUploadedFile("offer.txt", b"49 EUR", content_type="text/plain")
    answer = client.post(url_of(chiara), typed(client, chiara, files=[file]))
    ticket = Ticket.objects.get()
    assert answer["Location"] == reverse("desk_ticket", args=[ticket.number])
    assert (ticket.customer, ticket.team, ticket.assignee) == (chiara, orders, ana)
    assert (ticket.status_category, ticket.waiting_since) == ("pending", None)
    message = ticket.messages.get()
    assert (message.kind, message.author_user) == (MessageKind.OUTBOUND, ana)
    assert message.text == "Shall we send it?\nAna"
    assert message.attachments.get().name == "offer.txt"
    mail = OutgoingMail.objects.get()
    assert (mail.message, mail.to_address) == (message, "chiara@example.it")


def test_a_ticket_that_we_opened_by_writing_first_has_no_first_response_time(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    client = log_in(ana)
    client.post(url_of(chiara), typed(client, chiara))
    ticket = Ticket.objects.get()
    receive_reply(
        ticket.conversations.get(), draft=MessageDraft(text="Yes!"), actor=Actor.customer(chiara)
    )
    reply(ticket, draft=MessageDraft(text="It is on its way."), author=ana)
    facts = facts_of(ticket)
    assert facts
    [response] = facts.responses
    assert response.replied_at is not None
    assert response.is_first is False


def test_the_customer_answers_into_the_same_ticket(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    client = log_in(ana)
    client.post(url_of(chiara), typed(client, chiara))
    ticket = Ticket.objects.get()
    receive_reply(
        ticket.conversations.get(), draft=MessageDraft(text="Yes!"), actor=Actor.customer(chiara)
    )
    ticket.refresh_from_db()
    assert ticket.status_category == "open"
    assert ticket.waiting_since is not None


@pytest.mark.parametrize(("then", "category"), [("open", "open"), ("solved", "solved")])
def test_one_says_what_the_ticket_is_afterwards(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer, then: str, category: str
) -> None:
    client = log_in(ana)
    client.post(url_of(chiara), typed(client, chiara, then=then))
    assert Ticket.objects.get().status_category == category


def test_sent_twice_it_is_one_ticket_and_one_mail(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    client = log_in(ana)
    data = typed(client, chiara)
    first, again = client.post(url_of(chiara), data), client.post(url_of(chiara), data)
    assert first["Location"] == again["Location"]
    assert Ticket.objects.count() == OutgoingMail.objects.count() == 1


@pytest.mark.parametrize(
    ("wrongly", "says"),
    [
        ({"subject": ""}, "Write what it is about."),
        ({"subject": "\u200b\r\n"}, "Write what it is about."),
        ({"text": " "}, "Write something or attach a file first."),
        ({"identity": "0"}, ""),
        ({"team": "0"}, ""),
        ({"then": "closed"}, ""),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer, wrongly: dict[str, str], says: str
) -> None:
    client = log_in(ana)
    answer = client.post(url_of(chiara), typed(client, chiara) | wrongly)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert says in html
    assert "Shall we send it?" in html or "text" in wrongly
    assert not Ticket.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_one_writes_to_the_customers_own_addresses_for_ones_own_teams(
    log_in: LogIn, ana: User, orders: Team, billing: Team, chiara: Customer
) -> None:
    stranger = recognise(email="victim@example.it").identities.get()
    client = log_in(ana)
    for wrongly in ({"identity": stranger.pk}, {"team": billing.pk}):
        assert client.post(url_of(chiara), typed(client, chiara) | wrongly).status_code == 422
    assert not Ticket.objects.exists()


def test_an_address_that_was_taken_away_meanwhile_is_not_written_to(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    client = log_in(ana)
    data = typed(client, chiara)
    add_identity(chiara, kind="email", value="new@example.it", actor=ana)
    remove_identity(chiara.identities.get(value="chiara@example.it"), actor=ana)
    answer = client.post(url_of(chiara), data)
    assert answer.status_code == 422
    assert "Shall we send it?" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_a_manager_writes_for_any_team_and_it_is_theirs(
    log_in: LogIn, sara: User, billing: Team, chiara: Customer
) -> None:
    client = log_in(sara)
    client.post(url_of(chiara), typed(client, chiara, team=billing.pk))
    ticket = Ticket.objects.get()
    assert (ticket.team, ticket.assignee) == (billing, sara)
    assert [event.kind for event in ticket.events.in_order()][:2] == [
        Kind.OPENED,
        Kind.MESSAGE_SENT,
    ]


def test_whoever_has_no_mail_address_cannot_be_written_to_yet(
    log_in: LogIn, ana: User, orders: Team, chiara: Customer
) -> None:
    remove_identity(chiara.identities.get(), actor=ana)
    html = log_in(ana).get(url_of(chiara)).content.decode()
    assert "We know no mail address of theirs" in html
    assert "<textarea" not in html
