"""Weeks in the life of the desk, made by the real actions at their own times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from metrics.actions import refold
from people.models import Customer, Team, User
from surveys.actions import answer_survey
from surveys.models import Score, Survey
from tests.conftest import make_ticket
from tickets import actions, history
from tickets.actor import Actor
from tickets.models import Category, Kind, Mark, Ticket

ROME = ZoneInfo("Europe/Rome")


def rome(text: str) -> datetime:
    """A moment on the company's wall clock: "2026-03-02 09:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


class Story:
    """One ticket's life. Each verb happens at a time of the company's clock."""

    def __init__(self, ticket: Ticket, agent: User) -> None:
        self.ticket, self.agent = ticket, agent

    def answered(self, when: str, *, by: User | None = None, then: str = "") -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.reply(
                self._fresh, draft=actions.MessageDraft(text="Yes."), author=by or self.agent
            )
        return self

    def asks(self, when: str) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.receive_reply(
                self.ticket.conversations.get(),
                draft=actions.MessageDraft(text="And?"),
                actor=Actor.customer(self.ticket.customer),
            )
        return self

    def solved(self, when: str) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.solve_ticket(self._fresh, actor=Actor.user(self.agent))
        return self

    def reopened(self, when: str) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.reopen_ticket(self._fresh, actor=Actor.user(self.agent))
        return self

    def moved(self, when: str, team: Team) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.move_to_team(self._fresh, to=team, actor=Actor.user(self.agent))
        return self

    def filed(self, when: str, category: Category) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.set_category(self._fresh, to=category, actor=Actor.user(self.agent))
        return self

    def marked(self, when: str, mark: Mark) -> Story:
        with time_machine.travel(rome(when), tick=False):
            actions.mark_ticket(self._fresh, as_=mark, actor=Actor.user(self.agent))
        return self

    def asked_to_rate(self, when: str) -> Story:
        with time_machine.travel(rome(when), tick=False):
            survey = Survey.objects.get(ticket=self.ticket)
            survey.done_at = rome(when)
            survey.save()
            history.record(self._fresh, Kind.SURVEY_SENT, actor=Actor.system(), survey=survey.pk)
        return self

    def rated(self, when: str, score: Score) -> Story:
        with time_machine.travel(rome(when), tick=False):
            answer_survey(Survey.objects.get(ticket=self.ticket), score=score)
        return self

    @property
    def _fresh(self) -> Ticket:
        return Ticket.objects.get(pk=self.ticket.pk)


@pytest.fixture
def story(chiara: Customer, orders: Team, ana: User) -> Callable[..., Story]:
    """Opens a ticket at a time, with a team, and lets its life be told."""

    def open_at(
        when: str, *, team: Team | None = orders, agent: User = ana, subject: str = "Lamp"
    ) -> Story:
        with time_machine.travel(rome(when), tick=False):
            return Story(make_ticket(chiara, team=team, subject=subject), agent)

    return open_at


@pytest.fixture
def fold_all(db: None) -> Callable[[], None]:
    def fold() -> None:
        refold(list(Ticket.objects.values_list("pk", flat=True)))

    return fold


@pytest.fixture
def on() -> Iterator[Callable[[str], None]]:
    """Sets the company's clock for the rest of the test."""
    travels = []

    def go(when: str) -> None:
        traveller = time_machine.travel(rome(when), tick=False)
        traveller.start()
        travels.append(traveller)

    yield go
    for traveller in reversed(travels):
        traveller.stop()


def later(when: str, **more: float) -> str:
    return (datetime.fromisoformat(when) + timedelta(**more)).isoformat(" ")
