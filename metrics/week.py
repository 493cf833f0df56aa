"""The weekly review: every figure of a week, against the week before and what is usual.

Usual is the mean of the four weeks before. A running week is compared with the same part of the
others. Each number is counted with the condition of its figure, so that it is as long as the list
behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import add, or_
from statistics import mean
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import Avg, Q
from django.db.models import Count as CountOf
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from metrics.figures import FIGURES, Figure, narrowed
from metrics.models import RevisionFact
from metrics.periods import Period, Week, company_zone
from metrics.statistics import Count, PercentileCont, Share, Spread, count_of
from people.models import Team
from tickets.models import Category, Event

WEEKS_BEFORE = 4
SETTLED_AFTER = timedelta(days=1)

# A team's or category's key as it stands in an address; "none" is those without one.
Key: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Times:
    """A figure's spread in the week, the week before, and the four weeks before taken together."""

    now: Spread
    before: Spread
    usual: Spread

    @property
    def change_seconds(self) -> float | None:
        """How much longer the median is than in the week before; negative when it is shorter."""
        if self.now.median is None or self.before.median is None:
            return None
        return self.now.median - self.before.median


@dataclass(frozen=True, slots=True)
class Shares:
    """A percentage in the week, the week before, and the four weeks before taken together."""

    now: Share
    before: Share
    usual: Share

    @property
    def change(self) -> float | None:
        if self.now.percent is None or self.before.percent is None:
            return None
        return self.now.percent - self.before.percent

    def __add__(self, other: Shares) -> Shares:
        return Shares(self.now + other.now, self.before + other.before, self.usual + other.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    day: date
    received: int
    solved: int
    usual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWeek:
    """One team's row of the review."""

    key: Key
    name: str
    received: Count
    solved: Count
    backlog: Count
    first_response: Times
    resolution: Times
    first_contact: Shares
    reopened: Shares
    satisfied: Shares
    returned: Shares

    @property
    def is_empty(self) -> bool:
        counts = (self.received, self.solved, self.backlog)
        return not any(count.now or any(count.earlier) for count in counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One category's tickets, by what they turned out to be about."""

    key: Key
    name: str
    count: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRow:
    """One kind of time in both clocks; `key` names its figure."""

    key: str
    title: str
    cohort: str
    calendar: Times
    business: Times


@dataclass(frozen=True, slots=True)
class Revised:
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """All that the page of one week says."""

    week: Week
    period: Period
    is_over: bool
    first_contact_settles_on: date | None
    clock: str
    team: Key
    received: Count
    solved: Count
    backlog: Count
    unanswered: int
    first_response: Times
    resolution: Times
    first_contact: Shares
    reopened: Shares
    satisfied: Shares
    returned: Shares
    days: list[Day]
    teams: list[TeamWeek]
    topics: list[Topic]
    times: list[TimeRow]
    revised: list[Revised]
    revised_since: datetime

    @property
    def is_empty(self) -> bool:
        """Nothing came in, went out or waits."""
        return not (self.received.now or self.solved.now or self.backlog.now)


CLOCKS = {"business": "business_seconds", "calendar": "seconds"}


def review(week: Week, *, now: datetime, team: Key = "", clock: str = "business") -> Review:
    """The review of a week as it is known at `now`, for one team or for all.

    The number of queries does not depend on what there is to say.
    """
    spans = [week.until(now, weeks_before=number) for number in range(WEEKS_BEFORE + 1)]
    only = narrowed(team=team)
    received = _counted("received", spans, by="team")
    unanswered = _counted("unanswered", spans[:1], by="team")
    solved = _counted("solved", spans, by="team", also=("first_contact", "reopened"))
    waiting = _counted("backlog", spans, by="team")
    rated = _counted("rated", spans, by="team", also=("satisfied",))
    asked = _counted("asked", spans, by="team", also=("asked_and_answered",))
    first_responses = _timed("first_response", spans, CLOCKS[clock], by="team")
    resolutions = _timed("first_resolution", spans, CLOCKS[clock], by="team")

    def team_week(key: Key, name: str) -> TeamWeek:
        return TeamWeek(
            key=key,
            name=name,
            received=_count(received, "received", key),
            solved=_count(solved, "solved", key),
            backlog=_count(waiting, "backlog", key),
            first_response=first_responses.get(key, NO_TIMES),
            resolution=resolutions.get(key, NO_TIMES),
            first_contact=_shares(solved, "first_contact", "solved", key),
            reopened=_shares(solved, "reopened", "solved", key),
            satisfied=_shares(rated, "satisfied", "rated", key),
            returned=_shares(asked, "asked_and_answered", "asked", key),
        )

    everyone = [team_week(str(each.pk), str(each)) for each in Team.objects.all()]
    everyone.append(team_week("none", _("Without a team")))
    chosen = [each for each in everyone if team in ("", each.key)]
    totals = {
        name: reduce(add, (getattr(each, name) for each in chosen))
        for name in (
            *("received", "solved", "backlog"),
            *("first_contact", "reopened", "satisfied", "returned"),
        )
    }
    times = _time_rows(spans, only)
    by_key = {row.key: row for row in times}
    revised_since = settled_at(week)
    return Review(
        week=week,
        period=spans[0],
        is_over=week.is_over(now),
        first_contact_settles_on=_first_contact_settles_on(week, now),
        clock=clock,
        team=team,
        unanswered=sum(row["unanswered_0"] for key, row in unanswered.items() if team in ("", key)),
        first_response=getattr(by_key["first_response"], clock),
        resolution=getattr(by_key["first_resolution"], clock),
        days=_days(week, now, only),
        teams=[each for each in chosen if not each.is_empty],
        topics=_topics(spans, only),
        times=times,
        revised=_revised(week, revised_since, only) if week.is_over(now) else [],
        revised_since=revised_since,
        **totals,
    )


def revisions(since: datetime) -> Q:
    """The condition for what was learnt after a week's figures had settled."""
    return Q(recorded_at__gte=since)


# Counting: one query per kind of fact, with a column per figure and span.

NO_SPREAD = Spread()
NO_TIMES = Times(NO_SPREAD, NO_SPREAD, NO_SPREAD)

Counted: TypeAlias = Mapping[Key, Mapping[str, int]]


def _counted(key: str, spans: list[Period], *, by: str, also: Iterable[str] = ()) -> Counted:
    """How many facts each team or category has, per figure and span: `{"3": {"solved_0": 12}}`.

    The figures in `also` count among the facts of the first one.
    """
    first = FIGURES[key]
    conditions = {
        f"{figure.key}_{number}": figure.condition(span)
        for figure in (first, *(FIGURES[other] for other in also))
        for number, span in enumerate(spans)
    }
    rows = (
        first.model._default_manager.filter(_any(first.condition(span) for span in spans))
        .order_by()
        .values(by)
        .annotate(**{name: CountOf("ticket", filter=c) for name, c in conditions.items()})
    )
    return {_key(row.pop(by)): row for row in rows}


def _count(counted: Counted, figure: str, key: Key) -> Count:
    row = counted.get(key, {})
    return count_of([row.get(f"{figure}_{number}", 0) for number in range(WEEKS_BEFORE + 1)])


def _shares(counted: Counted, part: str, whole: str, key: Key) -> Shares:
    parts, wholes = _count(counted, part, key), _count(counted, whole, key)
    return Shares(
        Share(parts.now, wholes.now),
        Share(parts.before, wholes.before),
        Share(sum(parts.earlier), sum(wholes.earlier)),
    )


# Timing: percentiles are computed where the facts are.


def _spreads(figure: Figure, spans: list[Period], column: str, prefix: str = "") -> dict[str, Any]:
    """The aggregates of a column in the week, the week before and the usual weeks together."""
    conditions = {
        "now": figure.condition(spans[0]),
        "before": figure.condition(spans[1]),
        "usual": _any(figure.condition(span) for span in spans[1:]),
    }
    return {
        f"{prefix}{name}_{measure}": aggregate
        for name, condition in conditions.items()
        for measure, aggregate in (
            ("count", CountOf(column, filter=condition)),
            ("mean", Avg(column, filter=condition)),
            ("median", PercentileCont(column, fraction=0.5, filter=condition)),
            ("p90", PercentileCont(column, fraction=0.9, filter=condition)),
        )
    }


def _times(row: Mapping[str, Any], prefix: str = "") -> Times:
    return Times(
        *(
            Spread(
                *(
                    row[f"{prefix}{name}_{measure}"]
                    for measure in ("count", "mean", "median", "p90")
                )
            )
            for name in ("now", "before", "usual")
        )
    )


def _timed(key: str, spans: list[Period], column: str, *, by: str) -> dict[Key, Times]:
    """The spreads of one figure for each team."""
    figure = FIGURES[key]
    rows = (
        figure.model._default_manager.filter(_any(figure.condition(span) for span in spans))
        .order_by()
        .values(by)
        .annotate(**_spreads(figure, spans, column))
    )
    return {_key(row[by]): _times(row) for row in rows}


def _time_rows(spans: list[Period], only: Q) -> list[TimeRow]:
    """Every kind of time, in both clocks: one query per figure."""
    full = FIGURES["full_resolution"]
    kinds: list[tuple[Figure, list[tuple[str, str]]]] = [
        (FIGURES["first_response"], [("", str(FIGURES["first_response"].title))]),
        (FIGURES["response"], [("", str(FIGURES["response"].title))]),
        (FIGURES["first_resolution"], [("", str(FIGURES["first_resolution"].title))]),
        (
            full,
            [
                ("", str(full.title)),
                ("requester_wait_", _("Customer waited for us")),
                ("agent_work_", _("Open with an agent")),
                ("on_hold_", _("On hold for others")),
            ],
        ),
    ]
    rows = []
    for figure, parts in kinds:
        aggregates: dict[str, Any] = {}
        for part, _title in parts:
            for clock, column in CLOCKS.items():
                aggregates |= _spreads(figure, spans, f"{part}{column}", f"{part}{clock}_")
        everything = _any(figure.condition(span) for span in spans)
        found = figure.model._default_manager.filter(everything & only).aggregate(**aggregates)
        rows += [
            TimeRow(
                key=figure.key,
                title=title,
                cohort=str(figure.cohort),
                calendar=_times(found, f"{part}calendar_"),
                business=_times(found, f"{part}business_"),
            )
            for part, title in parts
        ]
    return rows


# What stands beside the figures.


def _days(week: Week, now: datetime, only: Q) -> list[Day]:
    earliest = week.plus(-WEEKS_BEFORE).whole.start
    until = week.until(now)
    received = _per_day("received", Period(earliest, until.end), only)
    solved = _per_day("solved", until, only)
    return [
        Day(
            day=day,
            received=received.get(day, 0),
            solved=solved.get(day, 0),
            usual=mean(
                received.get(day - timedelta(weeks=number), 0)
                for number in range(1, WEEKS_BEFORE + 1)
            ),
        )
        for day in week.days
    ]


def _per_day(key: str, period: Period, only: Q) -> dict[date, int]:
    figure = FIGURES[key]
    rows = (
        figure.rows(period, only)
        .order_by()
        .annotate(day=TruncDate(figure.at, tzinfo=company_zone()))
        .values("day")
        .annotate(count=CountOf("ticket"))
        .values_list("day", "count")
    )
    return dict(rows)


def _topics(spans: list[Period], only: Q) -> list[Topic]:
    """Every category with its tickets, the most frequent first."""
    figure = FIGURES["received"]
    conditions = {f"received_{number}": figure.condition(span) for number, span in enumerate(spans)}
    rows = (
        figure.model._default_manager.filter(_any(conditions.values()) & only)
        .order_by()
        .values("category")
        .annotate(**{name: CountOf("ticket", filter=c) for name, c in conditions.items()})
    )
    counted = {_key(row.pop("category")): row for row in rows}
    names = {str(category.pk): category.path for category in Category.objects.as_tree()}
    topics = [
        Topic(
            key=key,
            name=names.get(key) or _("Without a category"),
            count=_count(counted, "received", key),
        )
        for key in counted
    ]
    return sorted(topics, key=lambda each: (-each.count.now, -each.count.usual, each.name))


def settled_at(week: Week) -> datetime:
    """When a week's figures are complete: at its end, or a day after this helpdesk began to write
    history down, for weeks whose history was imported."""
    first = Event.objects.order_by("pk").values_list("recorded_at", flat=True).first()
    end = week.whole.end
    return max(end, first + SETTLED_AFTER) if first else end


def _revised(week: Week, since: datetime, only: Q) -> list[Revised]:
    """How many tickets changed a finished week's figures afterwards, by reason."""
    figure = FIGURES["revised"]
    rows = (
        figure.model._default_manager.filter(figure.condition(week.whole) & revisions(since) & only)
        .order_by()
        .values("reason")
        .annotate(count=CountOf("ticket", distinct=True))
    )
    found = {row["reason"]: row["count"] for row in rows}
    return [Revised(reason, found[reason]) for reason in RevisionFact.Reason if reason in found]


def _first_contact_settles_on(week: Week, now: datetime) -> date | None:
    """The first day on which no reopening can change the week's first contact share any more."""
    if now >= week.whole.end + timedelta(days=settings.FCR_DAYS):
        return None
    return week.sunday + timedelta(days=settings.FCR_DAYS)


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _key(pk: int | None) -> Key:
    return "none" if pk is None else str(pk)
