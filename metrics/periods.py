"""Weeks as the company counts them: Monday to Sunday in its own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

DAYS_OF_WEEK = 7


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`, not included."""

    start: datetime
    end: datetime

    def holds(self, field: str) -> Q:
        """The condition that a column's instant lies in the period."""
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end})


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """A week by its Monday."""

    monday: date

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """The week in which the company was at that moment."""
        return cls.of(moment.astimezone(company_zone()).date())

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def parse(cls, slug: str) -> Self:
        """Read "2026-W46". Raises `ValueError` for a week that no year has."""
        year, _, number = slug.partition("-W")
        return cls(date.fromisocalendar(int(year), int(number), 1))

    def __str__(self) -> str:
        return f"{self.monday.isocalendar().year}-W{self.number:02}"

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=DAYS_OF_WEEK - 1)

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=number) for number in range(DAYS_OF_WEEK)]

    @property
    def whole(self) -> Period:
        return Period(_midnight(self.monday), _midnight(self.monday + timedelta(days=DAYS_OF_WEEK)))

    def plus(self, weeks: int) -> Week:
        return Week(self.monday + timedelta(weeks=weeks))

    def is_over(self, now: datetime) -> bool:
        return now >= self.whole.end

    def until(self, now: datetime, *, weeks_before: int = 0) -> Period:
        """The week so far, or an earlier one up to the same weekday and time of day.

        A running week is thus compared with what the others were at this point, and a finished
        one with whole weeks.
        """
        week = self.plus(-weeks_before)
        if self.is_over(now):
            return week.whole
        local = now.astimezone(company_zone())
        same_time = datetime.combine(
            local.date() - timedelta(weeks=weeks_before), local.time(), company_zone()
        )
        return Period(week.whole.start, same_time.astimezone(UTC))


def company_zone() -> ZoneInfo:
    return ZoneInfo(settings.COMPANY_TIME_ZONE)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), company_zone()).astimezone(UTC)
