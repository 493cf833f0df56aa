"""What each figure counts: one definition, for the number and for the list behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from metrics.models import (
    BacklogSpell,
    Fact,
    FactQuerySet,
    ResponseFact,
    RevisionFact,
    SolveFact,
    SurveyFact,
    TicketFact,
)
from metrics.periods import Period

SATISFIED_FROM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number of a period: the facts that `condition` selects, dated by `at`.

    `value` names what each fact is worth, where the figure is not just a count: "seconds" (each
    also in business time), "score" or "reason".
    """

    key: str
    title: Promise | str
    cohort: Promise | str
    model: type[Fact]
    condition: Callable[[Period], Q]
    at: str
    value: str = ""
    is_per_ticket: bool = False

    def rows(self, period: Period, only: Q | None = None) -> FactQuerySet:
        """The facts behind the number, in the order in which they happened.

        Where a ticket can have several and the number is one of tickets, the earliest stands.
        """
        everything: FactQuerySet = self.model._default_manager.all()
        facts = everything.filter(self.condition(period) & (only or Q()))
        if self.is_per_ticket:
            firsts = facts.order_by("ticket", self.at, "pk").distinct("ticket")
            facts = everything.filter(pk__in=firsts.values("pk"))
        return facts.order_by(self.at, "ticket")


def _received(period: Period) -> Q:
    return Q(mark="") & period.holds("created_at")


def _solved(period: Period) -> Q:
    """A ticket's first solve in the period, so that a ticket solved twice counts once."""
    is_first = Q(previous_solved_at=None) | Q(previous_solved_at__lt=period.start)
    return period.holds("solved_at") & is_first


def _at_first_contact(period: Period) -> Q:
    days = timedelta(days=settings.FCR_DAYS)
    held = Q(reopened_at=None) | Q(reopened_at__gt=F("solved_at") + days)
    once = Q(reply_count=1) | Q(reply_count=0, resolving_call_count__gt=0)
    return _solved(period) & Q(ordinal=1) & once & held


def _first_responses(period: Period) -> Q:
    return Q(is_first=True) & period.holds("replied_at")


def _waiting(period: Period) -> Q:
    """Open just before the period's end: what comes at midnight belongs to the next one."""
    lasting = Q(ended_at=None) | Q(ended_at__gte=period.end)
    return Q(started_at__lt=period.end) & lasting


def _unanswered(period: Period) -> Q:
    asked = Q(message_count__gt=0, reply_count=0, waiting_since__isnull=False)
    return _received(period) & asked & ~Q(status_category__in=["solved", "closed"])


_BY_CREATION = _("by the day they were created")
_BY_SOLVE = _("by the day of the solve")
_BY_REPLY = _("by the day of the reply")
_BY_ANSWER = _("by the day of the answer")

FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in (
        Figure(
            key="received",
            title=_("Received"),
            cohort=_BY_CREATION,
            model=TicketFact,
            condition=_received,
            at="created_at",
        ),
        Figure(
            key="unanswered",
            title=_("Received and not answered yet"),
            cohort=_BY_CREATION,
            model=TicketFact,
            condition=_unanswered,
            at="created_at",
        ),
        Figure(
            key="solved",
            title=pgettext_lazy("tickets", "Solved"),
            cohort=_BY_SOLVE,
            model=SolveFact,
            condition=_solved,
            at="solved_at",
            value="seconds",
        ),
        Figure(
            key="backlog",
            title=_("Waiting at the end"),
            cohort=_("at the last moment of the period"),
            model=BacklogSpell,
            condition=_waiting,
            at="started_at",
        ),
        Figure(
            key="first_response",
            title=_("First response"),
            cohort=_BY_REPLY,
            model=ResponseFact,
            condition=_first_responses,
            at="replied_at",
            value="seconds",
        ),
        Figure(
            key="response",
            title=_("Every response"),
            cohort=_BY_REPLY,
            model=ResponseFact,
            condition=lambda period: period.holds("replied_at"),
            at="replied_at",
            value="seconds",
        ),
        Figure(
            key="first_resolution",
            title=_("Resolution, to the first solve"),
            cohort=_BY_SOLVE,
            model=SolveFact,
            condition=lambda period: Q(ordinal=1) & period.holds("solved_at"),
            at="solved_at",
            value="seconds",
        ),
        Figure(
            key="full_resolution",
            title=_("Resolution, to the solve that stands"),
            cohort=_BY_SOLVE,
            model=SolveFact,
            condition=lambda period: Q(reopened_at=None) & period.holds("solved_at"),
            at="solved_at",
            value="seconds",
        ),
        Figure(
            key="first_contact",
            title=_("Solved at first contact"),
            cohort=_BY_SOLVE,
            model=SolveFact,
            condition=_at_first_contact,
            at="solved_at",
            value="seconds",
        ),
        Figure(
            key="reopened",
            title=_("Solved and reopened"),
            cohort=_BY_SOLVE,
            model=SolveFact,
            condition=lambda period: _solved(period) & Q(reopened_at__isnull=False),
            at="solved_at",
            value="reopened_at",
        ),
        Figure(
            key="rated",
            title=_("Ratings"),
            cohort=_BY_ANSWER,
            model=SurveyFact,
            condition=lambda period: period.holds("answered_at"),
            at="answered_at",
            value="score",
        ),
        Figure(
            key="satisfied",
            title=_("Satisfied"),
            cohort=_BY_ANSWER,
            model=SurveyFact,
            condition=lambda period: Q(score__gte=SATISFIED_FROM) & period.holds("answered_at"),
            at="answered_at",
            value="score",
        ),
        Figure(
            key="dissatisfied",
            title=_("Not satisfied"),
            cohort=_BY_ANSWER,
            model=SurveyFact,
            condition=lambda period: Q(score__lt=SATISFIED_FROM) & period.holds("answered_at"),
            at="answered_at",
            value="score",
        ),
        Figure(
            key="asked",
            title=_("Asked for a rating"),
            cohort=_("by the day they were asked"),
            model=SurveyFact,
            condition=lambda period: period.holds("sent_at"),
            at="sent_at",
            value="score",
        ),
        Figure(
            key="asked_and_answered",
            title=_("Asked for a rating, and answered in the same period"),
            cohort=_("by the day they were asked"),
            model=SurveyFact,
            condition=lambda period: period.holds("sent_at") & Q(answered_at__lt=period.end),
            at="sent_at",
            value="score",
        ),
        Figure(
            key="revised",
            title=_("Changed afterwards"),
            cohort=_("by the day that the change concerns"),
            model=RevisionFact,
            condition=lambda period: period.holds("concerns_at"),
            at="concerns_at",
            value="reason",
            is_per_ticket=True,
        ),
    )
}


def narrowed(*, team: str = "", category: str = "", **more: Any) -> Q:
    """The condition for one team and one category, by key; "none" means those without one."""
    condition = Q(**more)
    for field, chosen in (("team", team), ("category", category)):
        if chosen:
            condition &= Q(**{field: None if chosen == "none" else int(chosen)})
    return condition
