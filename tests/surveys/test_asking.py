"""Who is asked for a rating, when, and never twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from messaging.models import OutgoingMail
from people.models import Customer, User
from surveys.models import Survey
from surveys.tasks import mail_survey, sweep_surveys
from tickets.actions import mark_ticket, reopen_ticket, solve_ticket
from tickets.actor import Actor
from tickets.models import Kind, Mark, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_hour(settings: Any) -> None:
    settings.SURVEY_DELAY = timedelta(hours=1)


def invitations(ticket: Ticket) -> list[OutgoingMail]:
    return list(ticket.outgoing_mails.filter(purpose=OutgoingMail.Purpose.SURVEY))


def in_two_hours() -> Any:
    return time_machine.travel(timezone.now() + timedelta(hours=2), tick=False)


def test_solving_owes_one_question_after_the_delay(ticket: Ticket, ana: User) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))

    sweep_surveys()
    assert invitations(ticket) == []

    with in_two_hours():
        sweep_surveys()
    [mail] = invitations(ticket)
    assert mail.to_address == "chiara@example.it"
    assert mail.is_sent_at_most_once
    assert mail.is_automatic
    assert list(
        ticket.events.filter(kind=Kind.SURVEY_SENT).values_list("actor_kind", flat=True)
    ) == ["system"]


def test_the_mail_links_each_of_the_five_choices(ticket: Ticket, ana: User, settings: Any) -> None:
    settings.BASE_URL = "https://help.casanord.example"
    solve_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
    [mail] = invitations(ticket)
    survey = Survey.objects.get()
    for score in range(1, 6):
        link = f"https://help.casanord.example/rate/{survey.key}/?score={score}"
        assert link in mail.text
        assert link in mail.html


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "How was our help with"), ("it", "Com’è andata"), ("ro", "Cum a fost")],
)
def test_the_question_is_asked_in_the_customers_language(
    ticket: Ticket, ana: User, language: str, question: str
) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(language=language)
    solve_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
    [mail] = invitations(ticket)
    assert mail.subject.startswith(question)


def test_sweeping_twice_asks_once(ticket: Ticket, ana: User) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
        sweep_surveys()
        mail_survey(Survey.objects.get().pk)
    assert len(invitations(ticket)) == 1


def test_a_ticket_reopened_before_its_hour_is_not_asked_about(ticket: Ticket, ana: User) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    reopen_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
    assert invitations(ticket) == []


def test_a_second_solve_owes_the_question_anew_when_it_was_never_asked(
    ticket: Ticket, ana: User
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    reopen_ticket(ticket, actor=Actor.user(ana))
    solve_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
    assert len(invitations(ticket)) == 1


def test_a_ticket_solved_again_after_the_question_is_never_asked_about_again(
    ticket: Ticket, ana: User
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    with in_two_hours():
        sweep_surveys()
    reopen_ticket(ticket, actor=Actor.user(ana))
    solve_ticket(ticket, actor=Actor.user(ana))
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        sweep_surveys()
    assert len(invitations(ticket)) == 1


def test_whoever_opted_out_is_not_asked(ticket: Ticket, ana: User, chiara: Customer) -> None:
    Customer.objects.filter(pk=chiara.pk).update(accepts_surveys=False)
    solve_ticket(ticket, actor=Actor.user(ana))
    assert not Survey.objects.exists()


def test_whoever_opts_out_while_it_is_owed_is_not_asked(
    ticket: Ticket, ana: User, chiara: Customer
) -> None:
    solve_ticket(ticket, actor=Actor.user(ana))
    Customer.objects.filter(pk=chiara.pk).update(accepts_surveys=False)
    with in_two_hours():
        sweep_surveys()
    assert invitations(ticket) == []
    assert Survey.objects.get().is_parked


def test_nobody_is_asked_about_spam(ticket: Ticket, ana: User) -> None:
    mark_ticket(ticket, as_=Mark.SPAM, actor=Actor.user(ana))
    solve_ticket(ticket, actor=Actor.user(ana))
    assert not Survey.objects.exists()


def test_whoever_has_no_address_is_not_asked(ticket: Ticket, ana: User, chiara: Customer) -> None:
    chiara.identities.update(kind="phone", value="+390255501188")
    solve_ticket(ticket, actor=Actor.user(ana))
    assert not Survey.objects.exists()
