"""When things happen in the demo: people write by day and by weekday, and agents work in hours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from triage.business_time import Calendar

WEEKS: Final = 8
DAYS: Final = (1.32, 1.16, 1.04, 0.98, 0.92, 0.66, 0.56)
HOURS: Final = (
    (0, 0.25), (1, 0.1), (6, 0.3), (7, 1.0), (8, 2.4), (9, 4.3), (10, 5.0), (11, 4.6), (12, 3.6),
    (13, 3.3), (14, 3.9), (15, 4.1), (16, 3.8), (17, 3.4), (18, 3.0), (19, 2.7), (20, 3.2),
    (21, 3.3), (22, 1.9), (23, 0.8),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """`monday` is when the current week began in the company's zone; `calendars` are the teams'."""

    monday: datetime
    calendars: Mapping[str, Calendar]

    def day(self, week: int, day: int) -> datetime:
        """The beginning of a day, counting weeks from the first of the history."""
        return self.monday + timedelta(weeks=week - WEEKS, days=day)

    def in_week(self, random: Random, week: int) -> datetime:
        """A moment at which somebody writes, in that week."""
        return self.on_day(random, self.day(week, random.choices(range(7), DAYS)[0]))

    def on_day(self, random: Random, day: datetime) -> datetime:
        """A moment at which somebody writes, on that day."""
        hours, weights = zip(*HOURS, strict=True)
        hour = random.choices(hours, weights)[0]
        minute, second = random.randint(0, 59), random.randint(0, 59)
        return datetime.combine(day.date(), time(hour, minute, second), tzinfo=day.tzinfo)

    def work(self, team: str, after: datetime, hours: float) -> datetime:
        """When a team has put so many working hours behind it."""
        due = self.calendars[team].due_at(after, max(60, int(hours * 3600)))
        return due or after + timedelta(hours=hours)

    def leisure(self, random: Random, after: datetime, *, median_hours: float) -> datetime:
        """When a customer finds the time: some hours later, and not in the night."""
        at = after + timedelta(hours=around(random, median_hours, 1.1))
        local = at.astimezone(self.monday.tzinfo)
        if local.hour < 7:
            at += timedelta(hours=7 - local.hour + random.random() * 2)
        return at


def around(random: Random, median: float, spread: float) -> float:
    """A time as people need it: mostly near the median, now and then many times as long."""
    return median * math.exp(random.gauss(0, spread))


def monday_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the week of `moment` began there."""
    local = moment.astimezone(zone)
    day = local.date() - timedelta(days=local.weekday())
    return datetime.combine(day, time(), tzinfo=zone)
