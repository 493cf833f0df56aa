"""An administrator declares a wrong event void."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from people.models import User
from tickets.models import Kind, Ticket

pytestmark = pytest.mark.django_db


def test_a_tickets_events_are_listed_with_their_ids(ticket: Ticket) -> None:
    out = StringIO()
    call_command("annul_event", ticket.number, stdout=out)
    listed = [line.split("\t")[0] for line in out.getvalue().splitlines()]
    assert listed == [str(event.pk) for event in ticket.events.in_order()]


def test_the_event_is_annulled_in_the_colleagues_name(ticket: Ticket, sara: User) -> None:
    wrong = ticket.events.get(kind=Kind.TEAM_CHANGED)
    call_command(
        "annul_event",
        ticket.number,
        event=wrong.pk,
        by="Sara@casanord.example",
        reason="a test",
        stdout=StringIO(),
    )
    annulment = ticket.events.get(kind=Kind.ANNULLED)
    assert (annulment.annuls, annulment.actor_user) == (wrong, sara)
    assert annulment.data["reason"] == "a test"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"by": "nobody@example.org", "reason": "a test"}, "by whom"),
        ({"by": "sara@casanord.example", "reason": " "}, "why"),
        ({"by": "sara@casanord.example", "reason": "a test", "event": 0}, "no event"),
    ],
)
def test_a_wrong_word_changes_nothing(
    ticket: Ticket, sara: User, said: dict[str, Any], complaint: str
) -> None:
    before = ticket.events.count()
    first = ticket.events.in_order()[0].pk
    with pytest.raises(CommandError, match=complaint):
        call_command("annul_event", ticket.number, **{"event": first, **said})
    assert ticket.events.count() == before
