"""What becomes of an answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from people.models import User
from surveys.actions import SurveyIsFinal, answer_survey
from surveys.models import Score, Survey
from tickets.actions import solve_ticket
from tickets.actor import Actor
from tickets.models import Kind, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(ticket: Ticket, ana: User) -> Survey:
    solve_ticket(ticket, actor=Actor.user(ana))
    return Survey.objects.get()


def answers(survey: Survey) -> list[tuple[int | None, int]]:
    events = survey.ticket.events.filter(kind=Kind.SURVEY_ANSWERED).in_order()
    return [(event.data["before"], event.data["after"]) for event in events]


def test_an_answer_is_kept_and_becomes_part_of_the_history(survey: Survey) -> None:
    answer_survey(survey, score=Score.GOOD, comment="  Quick and kind.  ")
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (4, "Quick and kind.")
    assert answers(survey) == [(None, 4)]


def test_an_answer_can_be_changed_for_a_day_and_keeps_its_first_time(survey: Survey) -> None:
    first = answer_survey(survey, score=Score.GOOD).answered_at
    with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
        answer_survey(survey, score=Score.BAD)
    survey.refresh_from_db()
    assert (survey.score, survey.answered_at) == (2, first)
    assert answers(survey) == [(None, 4), (4, 2)]


def test_an_answer_older_than_a_day_stays(survey: Survey) -> None:
    answer_survey(survey, score=Score.GOOD)
    with (
        time_machine.travel(timezone.now() + timedelta(hours=25), tick=False),
        pytest.raises(SurveyIsFinal),
    ):
        answer_survey(survey, score=Score.BAD)
    survey.refresh_from_db()
    assert survey.score == 4
    assert answers(survey) == [(None, 4)]


def test_the_same_answer_twice_is_one_event(survey: Survey) -> None:
    answer_survey(survey, score=Score.GOOD, comment="Fine")
    answer_survey(survey, score=Score.GOOD, comment="Fine")
    assert answers(survey) == [(None, 4)]


def test_the_database_refuses_a_second_survey_and_a_score_outside_the_scale(
    survey: Survey,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Survey.objects.create(ticket=survey.ticket, customer=survey.customer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Survey.objects.filter(pk=survey.pk).update(score=6, answered_at=timezone.now())
