"""Business time: how much of a span a team was at work, and when an amount of work time is used up.

Pure: no database, no settings, no current time. The conventions, where helpdesks differ:

- An instant is open when the clock on the team's wall shows an open time. When summer time begins,
  the skipped hour has no instants; when it ends, the repeated hour counts twice, because people
  work through it twice.
- Opening times belong to the shift, closing times do not: [09:00, 17:00).
- An amount that is used up exactly at closing is due at closing, not at the next opening.
- Hours that end before their start run past midnight: 22:00–06:00 on Monday ends on Tuesday at
  06:00. Equal times are refused; a whole day is 00:00–24:00.
- A holiday closes its date from midnight to midnight, also for a shift that began the evening
  before. A special day's own hours replace those of the weekday in the same way.
- Instants count to the whole second, rounded down, so that adjacent spans always add up exactly.
- A calendar that never opens has no due time (`None`), and says so at once.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final, Protocol, Self, TypeAlias
from zoneinfo import ZoneInfo

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = 86_400

Span: TypeAlias = tuple[int, int]
"""Two whole seconds, the first included and the second not."""

# Zones lie between -12 and +14 hours from UTC: so far around its UTC date lies a local date.
_REACH: Final = 16 * 3600
_EPOCH: Final = date(1970, 1, 1).toordinal()
_HORIZON: Final = 36_525  # days: a due time a century away is none


class WorkTime(Protocol):
    """What can tell business time: one calendar, or a team's calendars as they changed."""

    def elapsed_seconds(self, start: datetime, end: datetime) -> int: ...

    def due_at(self, start: datetime, seconds: int) -> datetime | None: ...


@dataclass(frozen=True)
class Calendar:
    """One version of a team's hours: opening hours per weekday, holidays, and special days.

    `week` has seven entries, Monday first, of spans in seconds since local midnight; `parse` reads
    the written form.
    """

    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    holidays: frozenset[date] = frozenset()
    special_days: tuple[tuple[date, tuple[Span, ...]], ...] = ()
    _days: dict[int, tuple[Span, ...]] = field(default_factory=dict, compare=False, repr=False)
    _months: dict[int, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(
        cls,
        time_zone: str,
        week: Mapping[str, Iterable[Sequence[str]]],
        holidays: Iterable[str | date] = (),
        special_days: Mapping[str, Iterable[Sequence[str]]] | None = None,
    ) -> Self:
        """Read hours as they are written: `{"mon": [["09:00", "12:30"], ["13:30", "18:00"]]}`.

        Raises `ValueError` for an unknown weekday or zone, a time that is not HH:MM, or equal ones.
        """
        if unknown := set(week) - set(WEEKDAYS):
            raise ValueError(f"Not a weekday: {', '.join(sorted(unknown))}")
        try:
            ZoneInfo(time_zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"Not a time zone: {time_zone}") from error
        days: list[list[Span]] = [[] for _ in WEEKDAYS]
        for number, name in enumerate(WEEKDAYS):
            for opens, closes in map(_read_span, week.get(name, ())):
                if opens < closes:
                    days[number].append((opens, closes))
                else:
                    days[number].append((opens, DAY))
                    days[(number + 1) % 7].append((0, closes))
        special = []
        for day, written in (special_days or {}).items():
            spans = [_read_span(span) for span in written]
            if any(opens >= closes for opens, closes in spans):
                raise ValueError(f"The hours of {day} must end by 24:00")
            special.append((date.fromisoformat(day), _merged(spans)))
        return cls(
            time_zone,
            tuple(_merged(day) for day in days),
            frozenset(d if isinstance(d, date) else date.fromisoformat(d) for d in holidays),
            tuple(sorted(special)),
        )

    def elapsed_seconds(self, start: datetime, end: datetime) -> int:
        """Open seconds from `start` to `end`; nothing when `end` is not later."""
        first, last = _second(start), _second(end)
        if last <= first:
            return 0
        # One day more on either side: a clock that is set back at midnight shows a date twice.
        day, until = self._local_day(first) - 1, self._local_day(last) + 1
        earliest, total = day + 3, 0
        while day <= until:
            if day >= earliest and date.fromordinal(day).day == 1:
                seconds, following = self._month(day)
                if following <= until - 3:
                    total += seconds
                    day = following
                    continue
            for opens, closes in self._open_on(day):
                total += max(0, min(closes, last) - max(opens, first))
            day += 1
        return total

    def due_at(self, start: datetime, seconds: int) -> datetime | None:
        """The earliest instant by which `seconds` of open time (at least 1) have passed.

        None when the calendar does not open for so long within a century.
        """
        if seconds <= 0:
            raise ValueError("A target takes at least one second")
        first = _second(start)
        begin = day = self._local_day(first) - 1
        while day <= begin + _HORIZON and self._opens_from(day):
            if day >= begin + 3 and date.fromordinal(day).day == 1:
                available, following = self._month(day)
                if available < seconds:
                    seconds -= available
                    day = following
                    continue
            for opens, closes in self._open_on(day):
                available = closes - max(opens, first)
                if available >= seconds:
                    return datetime.fromtimestamp(max(opens, first) + seconds, UTC)
                seconds -= max(0, available)
            day += 1
        return None

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself when the calendar is open then, else the next opening, if there is one."""
        first = _second(at)
        begin = day = self._local_day(first) - 1
        while day <= begin + _HORIZON and self._opens_from(day):
            for opens, closes in self._open_on(day):
                if closes > first:
                    return datetime.fromtimestamp(max(opens, first), UTC)
            day += 1
        return None

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def _exceptions(self) -> dict[int, tuple[Span, ...]]:
        """Hours of the dates that do not follow the week; a holiday is a date without hours."""
        days = {day.toordinal(): spans for day, spans in self.special_days}
        return days | {day.toordinal(): () for day in self.holidays}

    @cached_property
    def _last_exceptional_opening(self) -> int:
        return max((day for day, spans in self._exceptions.items() if spans), default=0)

    def _opens_from(self, day: int) -> bool:
        """Whether any date from `day` on can open at all: what ends every search."""
        return any(self.week) or day <= self._last_exceptional_opening

    def _local_day(self, second: int) -> int:
        return datetime.fromtimestamp(second, self._zone).toordinal()

    def _month(self, day: int) -> tuple[int, int]:
        """Open seconds of the month that begins on `day`, and the first day of the one after it."""
        if day not in self._months:
            following = (date.fromordinal(day) + timedelta(days=31)).replace(day=1).toordinal()
            spans = (span for each in range(day, following) for span in self._open_on(each))
            self._months[day] = sum(closes - opens for opens, closes in spans), following
        return self._months[day]

    def _open_on(self, day: int) -> tuple[Span, ...]:
        """The open instants of a local date, in order, as seconds since the epoch."""
        if day not in self._days:
            hours = self._exceptions.get(day, self.week[(day - 1) % 7])
            midnight = (day - _EPOCH) * DAY
            spans = []
            window = (midnight - _REACH, midnight + DAY + _REACH)
            for since, until, offset in self._offsets(*window) if hours else ():
                for opens, closes in hours:
                    begin = max(since, midnight + opens - offset)
                    end = min(until, midnight + closes - offset)
                    if begin < end:
                        spans.append((begin, end))
            self._days[day] = tuple(sorted(spans))
        return self._days[day]

    def _offsets(self, since: int, until: int) -> Iterator[tuple[int, int, int]]:
        """The stretches of one UTC offset between two seconds: one, or two when clocks change."""
        while since < until:
            offset, low, high = self._offset(since), since, until
            if self._offset(until) == offset:
                yield since, until, offset
                return
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
            yield since, high, offset
            since = high

    def _offset(self, second: int) -> int:
        offset = datetime.fromtimestamp(second, self._zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0


@dataclass(frozen=True)
class Timetable:
    """A team's calendars as they changed: each counts from its instant until the next one's.

    The first also counts for all time before it, so that older work has hours too.
    """

    versions: tuple[tuple[datetime, Calendar], ...]

    def __post_init__(self) -> None:
        if not self.versions:
            raise ValueError("A timetable has at least one calendar")
        starts = [start for start, _ in self.versions]
        if starts != sorted(set(starts)):
            raise ValueError("Calendars follow one another, each from its own instant")

    def elapsed_seconds(self, start: datetime, end: datetime) -> int:
        """Open seconds from `start` to `end`, each by the calendar of its time."""
        return sum(
            calendar.elapsed_seconds(max(start, since), end if until is None else min(end, until))
            for since, until, calendar in self._from(start)
            if since < end
        )

    def due_at(self, start: datetime, seconds: int) -> datetime | None:
        """When `seconds` of open time since `start` are used up, by the calendars known now."""
        for since, until, calendar in self._from(start):
            begin = max(start, since)
            if until is not None:
                available = calendar.elapsed_seconds(begin, until)
                if available < seconds:
                    seconds -= available
                    continue
            return calendar.due_at(begin, seconds)
        return None

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime | None, Calendar]]:
        """The versions in force from `start` on, with the span of each; the last one has no end."""
        begin = max(0, bisect_right([since for since, _ in self.versions], start) - 1)
        for index in range(begin, len(self.versions)):
            since, calendar = self.versions[index]
            until = self.versions[index + 1][0] if index + 1 < len(self.versions) else None
            yield (start if index == begin else since), until, calendar


ALWAYS_OPEN: Final = Calendar("UTC", (((0, DAY),),) * 7)
"""Calendar time, for work that no team with known hours holds: nobody said that it is closed."""


def _second(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("An instant needs a time zone")
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


def _read_span(written: Sequence[str]) -> Span:
    opens, closes = (_read_time(time) for time in written)
    if opens == closes:
        raise ValueError(f"{written[0]} to {written[1]} is empty; a whole day is 00:00 to 24:00")
    return opens, closes


def _read_time(written: str) -> int:
    hours, colon, minutes = written.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        raise ValueError(f"Not a time of day: {written}")
    second = int(hours) * 3600 + int(minutes) * 60
    if int(minutes) > 59 or second > DAY:
        raise ValueError(f"Not a time of day: {written}")
    return second


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for opens, closes in sorted(spans):
        if merged and opens <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(closes, merged[-1][1])
        elif opens < closes:
            merged.append((opens, closes))
    return tuple(merged)
