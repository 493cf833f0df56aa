from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from people.models import User
from tests.at_once import at_once
from tests.tickets.evidence import fresh
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)

NEW = {"customer": {"email": "mara@example.org"}, "message": "It is cracked."}


def test_one_request_sent_eight_times_at_once_is_one_ticket(api: APIClient) -> None:
    def send() -> tuple[int, int]:
        response = api.post("/api/v1/tickets/", NEW, headers={"Idempotency-Key": "order-1"})
        return response.status_code, response.json()["number"]

    outcomes = at_once(*[send] * 8)
    ticket = Ticket.objects.get()
    assert sorted(outcomes) == [(200, ticket.number)] * 7 + [(201, ticket.number)]
    assert ticket.messages.count() == 1


def test_two_programs_that_answer_the_same_version_send_one_answer(
    program: Callable[[User], APIClient], ticket: Ticket, ana: User, luca: User
) -> None:
    url = f"/api/v1/tickets/{ticket.number}/messages/"
    answer = {"text": "Hello", "version": fresh(ticket).version}
    clients = [program(ana), program(luca)]
    outcomes = at_once(
        *[lambda client=client: client.post(url, answer).status_code for client in clients]
    )
    assert sorted(outcomes) == [201, 409]
    assert ticket.messages.filter(kind="outbound").count() == 1
