"""The request form: what a stranger sends becomes a request, and nothing that was typed is lost."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from people.models import Customer
from tests.portal.forms import send
from tickets.models import Channel, Ticket

pytestmark = pytest.mark.django_db


def test_a_request_becomes_a_ticket_and_leads_to_its_private_link(client: Client) -> None:
    answer = send(client, subject="Broken lamp", text="The glass is cracked.\r\n\r\nPlease help.")
    ticket = Ticket.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("portal:sent", args=[ticket.access_key])
    assert (ticket.subject, ticket.channel, ticket.language) == ("Broken lamp", Channel.FORM, "en")
    assert ticket.messages.get().text == "The glass is cracked.\n\nPlease help."
    assert ticket.customer.name == "Chiara Bellini"
    assert ticket.customer.email == "chiara@example.it"
    page = client.get(answer.headers["Location"]).content.decode()
    assert f"#{ticket.number}" in page
    assert f"/requests/{ticket.access_key}/" in page


def test_the_form_stands_in_the_language_of_the_browser_and_the_ticket_keeps_it(
    client: Client,
) -> None:
    assert client.get("/", headers={"accept-language": "ro"}).headers["Content-Language"] == "ro"
    send(client, headers={"accept-language": "it-IT,it;q=0.9"})
    assert Ticket.objects.get().language == "it"
    assert Customer.objects.get().language == "it"
