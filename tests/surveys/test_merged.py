from __future__ import annotations

import pytest

from people.models import Customer, Team
from surveys.actions import send_survey
from surveys.models import Survey
from tests.conftest import make_ticket
from tickets.actions import merge_tickets, solve_ticket
from tickets.actor import Actor
from tickets.models import Ticket
from tickets.owed import GiveUp


def test_nobody_is_asked_about_a_ticket_that_was_merged_away(
    ticket: Ticket, chiara: Customer, orders: Team
) -> None:
    chiara.accepts_surveys = True
    chiara.save()
    second = make_ticket(chiara, team=orders)
    solve_ticket(second, actor=Actor.system())
    survey = Survey.objects.get(ticket=second)
    merge_tickets(second, into=ticket, actor=Actor.system())
    survey.ticket.refresh_from_db()
    with pytest.raises(GiveUp):
        send_survey(survey)
