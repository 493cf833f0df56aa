"""How was our help? A mailed link opens the page with the choice made; only its form records it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from people.models import Change, Customer, User
from surveys.actions import owe_survey
from surveys.models import Survey
from tickets.actions import solve_ticket
from tickets.actor import Actor
from tickets.models import Event, Kind, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(ticket: Ticket, ana: User) -> Survey:
    """The question about Chiara's lamp, mailed to her."""
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    survey.done_at = timezone.now()
    survey.save()
    return survey


def page_of(client: Client, survey: Survey, query: str = "") -> str:
    answer = client.get(f"/rate/{survey.key}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def rate(client: Client, survey: Survey, **typed: Any) -> Any:
    return client.post(f"/rate/{survey.key}/", typed)


def chosen(page: str) -> list[str]:
    return [n for n in "12345" if f'value="{n}" required checked' in page]


def test_the_link_shows_its_choice_and_records_nothing(client: Client, survey: Survey) -> None:
    for _ in range(3):
        page = page_of(client, survey, "?score=4")
        assert chosen(page) == ["4"]
    client.head(f"/rate/{survey.key}/?score=1")
    survey.refresh_from_db()
    assert (survey.score, survey.answered_at) == (None, None)
    assert not Event.objects.filter(kind=Kind.SURVEY_ANSWERED).exists()


@pytest.mark.parametrize("query", ["", "?score=", "?score=6", "?score=x", "?score=-1", "?score=4x"])
def test_a_link_without_a_choice_shows_none(client: Client, survey: Survey, query: str) -> None:
    assert chosen(page_of(client, survey, query)) == []


def test_the_form_records_the_choice_with_a_comment_and_thanks(
    client: Client, survey: Survey
) -> None:
    answer = rate(client, survey, score="4", comment="Quick and kind.\r\n\r\nThank you.")
    assert answer.headers["Location"] == f"/rate/{survey.key}/"
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (4, "Quick and kind.\n\nThank you.")
    event = Event.objects.get(kind=Kind.SURVEY_ANSWERED)
    assert event.actor_customer == survey.customer
    page = page_of(client, survey)
    assert "Thank you for telling us" in page
    assert "Quick and kind." in page


def test_an_answer_can_be_changed_for_a_day(client: Client, survey: Survey) -> None:
    rate(client, survey, score="4")
    assert "Add a word, or change your answer" in page_of(client, survey)
    with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
        assert chosen(page_of(client, survey, "?score=2")) == ["2"]
        rate(client, survey, score="2", comment="It broke again.")
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (2, "It broke again.")


def test_an_answer_of_yesterday_is_shown_and_stays(client: Client, survey: Survey) -> None:
    rate(client, survey, score="4", comment="Kind.")
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        for typed in ({"score": "1", "comment": "No."}, {"score": ""}):
            assert rate(client, survey, **typed).headers["Location"] == f"/rate/{survey.key}/"
        for query in ("", "?score=1"):
            page = page_of(client, survey, query)
            assert "stays as it is" in page
            assert "<textarea" not in page
    survey.refresh_from_db()
    assert (survey.score, survey.comment) == (4, "Kind.")


@pytest.mark.parametrize("score", ["", "0", "6", "five"])
def test_without_a_choice_the_comment_is_kept(client: Client, survey: Survey, score: str) -> None:
    answer = rate(client, survey, score=score, comment="Let me tell you")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Please choose one of the five." in page
    assert "Let me tell you" in page
    survey.refresh_from_db()
    assert survey.score is None


def test_a_comment_that_is_too_long_is_kept_with_the_choice(client: Client, survey: Survey) -> None:
    answer = rate(client, survey, score="3", comment="x" * 4001)
    assert answer.status_code == 422
    assert "under 4,000 characters" in answer.content.decode()
    assert "x" * 4001 in answer.content.decode()
    assert chosen(answer.content.decode()) == ["3"]


def test_a_comment_is_shown_as_text(client: Client, survey: Survey) -> None:
    rate(client, survey, score="3", comment="<img src=x onerror=alert(1)>")
    page = page_of(client, survey)
    assert "<img" not in page
    assert "&lt;img" in page


def test_guessed_keys_fail_alike_and_a_survey_that_was_not_mailed_is_not_there(
    client: Client, survey: Survey
) -> None:
    unsent = Survey.objects.get()
    unsent.done_at = None
    unsent.save()
    keys = [unsent.key, "x" * 32, "*", "%20", "%00", "", "1", str(survey.pk), survey.key[:-1],
            survey.ticket.access_key]  # fmt: skip
    for key in keys:
        assert client.get(f"/rate/{key}/").status_code == 404, key
        assert client.post(f"/rate/{key}/", {"score": "5"}).status_code == 404, key
    survey.refresh_from_db()
    assert survey.score is None


def test_other_verbs_and_forged_posts_are_refused(client: Client, survey: Survey) -> None:
    assert client.put(f"/rate/{survey.key}/").status_code == 405
    assert client.delete(f"/rate/{survey.key}/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/rate/{survey.key}/", {"score": "5"}).status_code == 403
    survey.refresh_from_db()
    assert survey.score is None


def test_the_page_is_private_and_shows_no_private_link(client: Client, survey: Survey) -> None:
    answer = client.get(f"/rate/{survey.key}/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert survey.ticket.access_key not in answer.content.decode()


def test_surveys_are_stopped_by_a_press_and_not_by_opening_the_page(
    survey: Survey, chiara: Customer, ticket: Ticket
) -> None:
    page = f"/rate/{survey.key}/stop/"
    # As a mail program posts it: no cookie, no token, no redirect followed.
    client = Client(enforce_csrf_checks=True)
    assert "Ask me no more" in client.get(page).content.decode()
    client.head(page)
    other = f"/rate/{'x' * len(survey.key)}/stop/"
    assert client.post(other, {"List-Unsubscribe": "One-Click"}).status_code == 404
    chiara.refresh_from_db()
    assert chiara.accepts_surveys

    for _time in range(2):
        answer = client.post(page, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "We ask you no more" in answer.content.decode()
    chiara.refresh_from_db()
    assert not chiara.accepts_surveys
    change = Change.objects.filter(subject_kind="customer").get()
    assert (change.actor, change.after) == (None, {"accepts_surveys": False})
    assert owe_survey(ticket) is None
