"""A request that was merged into another, as its customer and a holder of its link see it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from messaging.email.addresses import reply_address
from messaging.email.receive import receive
from messaging.models import OutgoingMail
from people.actions import recognise
from people.models import Customer, Team, User
from portal.forms import ReplyForm
from portal.sessions import log_in
from tests.conftest import make_ticket
from tickets.actions import (
    MessageDraft,
    change_requester,
    merge_tickets,
    reply,
    split_messages,
    unmerge_ticket,
)
from tickets.actor import Actor
from tickets.models import Ticket


@pytest.fixture
def second(chiara: Customer, orders: Team, ticket: Ticket) -> Ticket:
    return make_ticket(chiara, subject="Lamp again", text="Any news of my lamp?", team=orders)


def link(ticket: Ticket) -> str:
    return reverse("portal_request", args=[Ticket.objects.get(pk=ticket.pk).access_key])


def page(ticket: Ticket, client: Client | None = None) -> str:
    answer = (client or Client()).get(link(ticket))
    assert answer.status_code == 200
    return answer.content.decode()


def known(customer: Customer) -> Client:
    """A browser in which this customer has logged in by mail."""
    from importlib import import_module

    from django.conf import settings
    from django.http import HttpRequest

    client = Client()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    identity = customer.identities.first()
    assert identity
    log_in(request, identity)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return client


def test_each_link_shows_what_was_begun_behind_it(
    ticket: Ticket, second: Ticket, ana: User
) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    reply(Ticket.objects.get(pk=ticket.pk), draft=MessageDraft(text="On its way"), author=ana)
    old, new = page(second), page(ticket)
    assert "Any news" in old
    # The answer went to where the customer wrote last.
    assert "On its way" in old
    assert f"your request #{ticket.number}" in old
    assert "cracked along the base" not in old
    # Somebody who wrote in the customer's name may hold either link.
    assert link(ticket) not in old
    assert "Any news" not in new
    assert "On its way" not in new


def test_the_customer_is_led_to_the_whole(
    ticket: Ticket, second: Ticket, ana: User, chiara: Customer
) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    client = known(chiara)
    answer = client.get(link(second))
    assert answer.status_code == 302
    assert answer["Location"] == link(ticket)
    whole = page(ticket, client)
    assert "Any news" in whole
    assert "cracked along the base" in whole
    mine = client.get(reverse("portal_my")).content.decode()
    assert "Lamp again" not in mine


def test_what_is_written_behind_the_old_link_lands_in_the_target(
    ticket: Ticket, second: Ticket, ana: User
) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    client = Client()
    data = {"text": "Hello?", "stamp": ReplyForm().stamp}
    answer = client.post(link(second), data)
    assert answer.status_code == 302
    assert answer["Location"].startswith(link(second))
    assert ticket.messages.filter(text="Hello?").exists()
    assert Ticket.objects.count() == 2


def test_two_customers_in_one_ticket_read_only_their_own(
    ticket: Ticket, ana: User, chiara: Customer, orders: Team
) -> None:
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="en")
    his = make_ticket(ion, subject="Ion's lamp", text="Mine too", team=orders)
    merge_tickets(his, into=ticket, actor=Actor.user(ana), with_other_customer=True)
    answer = reply(Ticket.objects.get(pk=ticket.pk), draft=MessageDraft(text="Soon"), author=ana)
    mail = OutgoingMail.objects.get(message=answer)
    assert mail.to_address == "ion@example.ro"
    assert mail.subject == "Re: Ion's lamp"
    assert link(his) in mail.text
    assert link(ticket) not in mail.text
    for client in (Client(), known(ion)):
        assert "along the base" not in page(his, client)
        assert str(ticket.number) not in page(his, client)
    for client in (Client(), known(chiara)):
        assert "Mine too" not in page(ticket, client)
        assert "Soon" not in page(ticket, client)


def test_unmerging_gives_the_link_back(ticket: Ticket, second: Ticket, ana: User) -> None:
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    unmerge_ticket(second, actor=Actor.user(ana))
    assert "Any news" in page(second)
    assert "We joined" not in page(second)


def test_another_requester_is_not_shown_to_the_first(
    ticket: Ticket, ana: User, chiara: Customer
) -> None:
    before = link(ticket)
    ion = recognise(email="ion@example.ro", name="Ion Pop", language="en")
    change_requester(ticket, to=ion, shows_history=False, actor=Actor.user(ana))
    assert Client().get(before).status_code == 404
    assert "along the base" not in page(ticket)
    answer = reply(Ticket.objects.get(pk=ticket.pk), draft=MessageDraft(text="Yours"), author=ana)
    assert OutgoingMail.objects.get(message=answer).to_address == "ion@example.ro"
    assert "Yours" in page(ticket)


MAIL = """From: Chiara <chiara@example.it>
To: {to}
Subject: Re: Lamp
Message-ID: <{id}@example.it>
In-Reply-To: {answers}
Authentication-Results: mx.casanord.example; dmarc=pass header.from=example.it

{text}
"""


def mail_in(**parts: str) -> str:
    mail = receive(MAIL.format(**parts).replace("\n", "\r\n").encode())
    assert mail.mail.message, mail.mail.reasons
    return mail.mail.message.ticket.subject


@pytest.fixture
def trusted(settings: object) -> None:
    settings.TRUSTED_AUTHSERV_ID = "mx.casanord.example"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("trusted")
def test_mail_follows_a_merge_and_a_split(ticket: Ticket, second: Ticket, ana: User) -> None:
    answer = reply(second, draft=MessageDraft(text="Which one?"), author=ana)
    mail = OutgoingMail.objects.get(message=answer)
    merge_tickets(second, into=ticket, actor=Actor.user(ana))
    subject = mail_in(to=mail.reply_to, id="1", answers=mail.rfc_message_id, text="The green one")
    assert subject == ticket.subject
    # Known by the id of our mail alone, without the reply address.
    subject = mail_in(
        to="support@casanord.example", id="2", answers=mail.rfc_message_id, text="The big one"
    )
    assert subject == ticket.subject
    new = split_messages(
        Ticket.objects.get(pk=ticket.pk),
        messages=[answer],
        actor=Actor.user(ana),
        subject="Which lamp",
    )
    answer.refresh_from_db()
    assert answer.ticket == new
    old_address = reply_address(
        second.conversations.model.objects.get(pk=second_conversation(mail))
    )
    subject = mail_in(to=old_address, id="3", answers=mail.rfc_message_id, text="That one")
    assert subject == "Which lamp"


def second_conversation(mail: OutgoingMail) -> int:
    from messaging.email.addresses import conversation_of

    conversation = conversation_of(mail.reply_to)
    assert conversation
    return conversation.pk
