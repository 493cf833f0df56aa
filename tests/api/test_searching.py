"""`?search=` takes what the search box takes."""

from __future__ import annotations

import pytest
from django.test import Client

from people.actions import create_api_token
from people.models import User
from tickets.actions import MessageDraft, add_note
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def asked(user: User, typed: str, client: Client) -> tuple[int, list[int], str]:
    token = create_api_token(user, name="Reader")
    answer = client.get(
        "/api/v1/tickets/", {"search": typed}, headers={"Authorization": f"Token {token}"}
    )
    body = answer.json()
    return answer.status_code, [one["number"] for one in body.get("results", [])], str(body)


def test_a_program_finds_what_its_user_may_see(
    ticket: Ticket, ana: User, petra: User, client: Client
) -> None:
    add_note(ticket, draft=MessageDraft(text="Ask the supplier"), author=ana)

    assert asked(ana, "supplier status:open", client)[:2] == (200, [ticket.number])
    assert asked(ana, "supplier -glass", client)[:2] == (200, [])
    for typed in ("supplier", "glass", f"{ticket.number}", "from:chiara@example.it"):
        assert asked(petra, typed, client)[:2] == (200, [])


@pytest.mark.parametrize("typed", ["status:'; DROP TABLE x", "before:soon", "is:superuser"])
def test_a_value_out_of_no_list_is_refused_in_words(
    typed: str, ticket: Ticket, ana: User, client: Client
) -> None:
    status, found, said = asked(ana, typed, client)

    assert (status, found) == (400, [])
    assert typed.partition(":")[0] in said
    assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_signs_of_the_database_are_words_that_are_not_there(
    ticket: Ticket, ana: User, client: Client
) -> None:
    for typed in ("glass' | 'x", "glass & !cracked:*", "')); --", "\\'"):
        status, found, _said = asked(ana, typed, client)
        assert status == 200
        assert found in ([], [ticket.number])


def test_whoever_has_no_token_finds_nothing(ticket: Ticket, client: Client) -> None:
    answer = client.get("/api/v1/tickets/", {"search": "glass"})

    assert answer.status_code == 401
    assert "Lamp" not in answer.content.decode()
