"""What was given up is seen by an administrator, and tried again when they say so."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from people.models import User
from surveys.models import Survey
from tickets.actions import solve_ticket
from tickets.actor import Actor
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def given_up(ticket: Ticket, ana: User) -> Survey:
    solve_ticket(ticket, actor=Actor.user(ana))
    survey = Survey.objects.get()
    survey.parked_at, survey.attempts, survey.last_error = timezone.now(), 5, "no such host"
    survey.save()
    return survey


def owed(*arguments: str) -> str:
    out = StringIO()
    call_command("owed", *arguments, stdout=out)
    return out.getvalue()


def test_what_was_given_up_is_listed_with_its_error(given_up: Survey) -> None:
    [line] = owed().splitlines()
    assert line.startswith(f"surveys.Survey:{given_up.pk}\t")
    assert line.endswith("no such host")


@pytest.mark.parametrize("which", ["all", "by name"])
def test_it_is_owed_again_when_somebody_says_so(given_up: Survey, which: str) -> None:
    owed("--retry", "all" if which == "all" else f"surveys.Survey:{given_up.pk}")
    given_up.refresh_from_db()
    assert (given_up.parked_at, given_up.attempts) == (None, 0)
    assert owed() == ""


def test_a_wrong_name_changes_nothing(given_up: Survey) -> None:
    with pytest.raises(CommandError, match=r"surveys\.Survey:0"):
        owed("--retry", f"surveys.Survey:{given_up.pk}", "surveys.Survey:0")
    given_up.refresh_from_db()
    assert given_up.is_parked
