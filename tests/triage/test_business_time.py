import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.business_time import ALWAYS_OPEN, WEEKDAYS, Calendar, Timetable

OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
ROME = ZoneInfo("Europe/Rome")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Examples that other helpdesks publish, where they are at hand.

CASES = Path(__file__).parents[3] / "shared" / "data" / "business_time" / "cases.json"


def published(kind: str) -> list[dict]:
    if not CASES.exists():
        reason = "the published cases are not on this machine"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(case, id=case["id"]) for case in json.loads(CASES.read_text())[kind]]


def calendar_of(case: dict) -> Calendar:
    written = case["calendar"]
    return Calendar.parse(
        written["tz"], written["week"], written["holidays"], written["date_overrides"]
    )


def worked_seconds(calendar: Calendar, case: dict, start: datetime, end: datetime) -> int:
    """What a clock shows that is stopped during the case's pauses."""
    pauses = [[datetime.fromisoformat(at) for at in pause] for pause in case.get("pauses", [])]
    return calendar.elapsed_seconds(start, end) - sum(
        calendar.elapsed_seconds(max(a, start), min(b, end)) for a, b in pauses
    )


@pytest.mark.parametrize("case", published("due_time"))
def test_a_published_due_time(case):
    calendar, start = calendar_of(case), datetime.fromisoformat(case["start"])
    if case.get("kind") == "next_opening":
        due = calendar.next_opening(start)
    else:
        left = case["minutes"] * 60
        for stop, resume in case.get("pauses", []):
            left -= calendar.elapsed_seconds(start, datetime.fromisoformat(stop))
            start = datetime.fromisoformat(resume)
        due = calendar.due_at(start, left)
    # What is used up at closing is due at closing: one source prefers the next opening.
    expected = datetime.fromisoformat(case.get("alternative", case["expected"]))
    assert abs(due - expected) <= timedelta(seconds=case.get("tolerance_seconds", 0))


@pytest.mark.parametrize("case", published("elapsed"))
def test_a_published_elapsed_time(case):
    start, end = datetime.fromisoformat(case["start"]), datetime.fromisoformat(case["end"])
    assert calendar_of(case).elapsed_seconds(start, end) == case["expected_seconds"]


@pytest.mark.parametrize("case", published("ticket_metrics"))
def test_a_published_ticket_clock(case):
    calendar = calendar_of(case)
    start, at = datetime.fromisoformat(case["created"]), datetime.fromisoformat(case["at"])
    spent = worked_seconds(calendar, case, start, at)
    assert spent == case["expected_minutes"] * 60
    assert case["target_minutes"] * 60 - spent == case["expected_minutes_left"] * 60


# The conventions that business_time.py states.


def test_summer_time_begins_and_the_skipped_hour_does_not_exist():
    night = Calendar.parse("Europe/Rome", {"sun": [["00:00", "06:00"]]})
    day = datetime(2026, 3, 29, tzinfo=ROME), datetime(2026, 3, 30, tzinfo=ROME)
    assert night.elapsed_seconds(*day) == 5 * 3600


def test_hours_that_begin_in_the_skipped_hour_open_when_the_clock_jumps():
    calendar = Calendar.parse("Europe/Rome", {"sun": [["02:30", "04:00"]]})
    assert calendar.next_opening(utc("2026-03-29T00:00")) == utc("2026-03-29T01:00")
    assert calendar.due_at(utc("2026-03-29T00:00"), 3600) == utc("2026-03-29T02:00")


def test_summer_time_ends_and_the_repeated_hour_is_worked_twice():
    night = Calendar.parse("Europe/Rome", {"sun": [["00:00", "06:00"]]})
    day = datetime(2026, 10, 25, tzinfo=ROME), datetime(2026, 10, 26, tzinfo=ROME)
    assert night.elapsed_seconds(*day) == 7 * 3600
    assert night.due_at(day[0], 4 * 3600) == utc("2026-10-25T02:00")


def test_clocks_that_change_at_midnight_lose_no_open_time():
    # In Santiago the clock goes from 24:00 back to 23:00 in April, and on to 01:00 in September.
    always = Calendar.parse("America/Santiago", {day: [["00:00", "24:00"]] for day in WEEKDAYS})
    for month in (4, 9):
        start, end = utc(f"2026-{month:02}-01T00:00"), utc(f"2026-{month:02}-20T00:00")
        assert always.elapsed_seconds(start, end) == 19 * 86_400


def test_a_date_that_a_zone_skipped_has_no_hours():
    # Samoa went from Thursday 29 December 2011 straight to Saturday the 31st.
    friday = Calendar.parse("Pacific/Apia", {"fri": [["09:00", "17:00"]]})
    assert friday.elapsed_seconds(utc("2011-12-26T00:00"), utc("2012-01-03T00:00")) == 0


def test_a_shift_past_midnight_counts_on_both_days():
    night = Calendar.parse("UTC", {"sun": [["22:00", "06:00"]]})
    assert night.elapsed_seconds(utc("2026-03-01T21:00"), utc("2026-03-02T12:00")) == 8 * 3600
    assert night.due_at(utc("2026-03-01T21:00"), 3 * 3600) == utc("2026-03-02T01:00")


def test_a_holiday_closes_its_date_also_for_a_shift_begun_the_evening_before():
    night = Calendar.parse("UTC", {"sun": [["22:00", "06:00"]]}, ["2026-03-02"])
    assert night.elapsed_seconds(utc("2026-03-01T00:00"), utc("2026-03-03T00:00")) == 2 * 3600


def test_a_holiday_closes_the_local_date_and_not_the_one_in_greenwich():
    calendar = Calendar.parse("Asia/Tokyo", OFFICE, [date(2026, 3, 3)])
    # Tuesday 3 March 09:00–17:00 in Tokyo is 00:00–08:00 in Greenwich.
    assert calendar.elapsed_seconds(utc("2026-03-02T20:00"), utc("2026-03-03T20:00")) == 0
    assert calendar.elapsed_seconds(utc("2026-03-03T20:00"), utc("2026-03-04T20:00")) == 8 * 3600


def test_hours_written_twice_count_once():
    calendar = Calendar.parse(
        "UTC", {"mon": [["09:00", "13:00"], ["12:00", "17:00"], ["17:00", "18:00"]]}
    )
    assert calendar.elapsed_seconds(utc("2026-03-02T00:00"), utc("2026-03-03T00:00")) == 9 * 3600


@pytest.mark.parametrize(
    "week",
    [
        {"mon": [["09:00", "09:00"]]},
        {"mon": [["9", "17:00"]]},
        {"mon": [["09:00", "24:30"]]},
        {"mon": [["09:60", "17:00"]]},
        {"monday": [["09:00", "17:00"]]},
    ],
)
def test_hours_that_make_no_sense_are_refused(week):
    with pytest.raises(ValueError, match=r".+"):
        Calendar.parse("UTC", week)


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(ValueError, match="Europe/Atlantis"):
        Calendar.parse("Europe/Atlantis", OFFICE)


@pytest.mark.parametrize("seconds", [0, -60])
def test_a_target_of_no_time_is_refused(seconds):
    with pytest.raises(ValueError, match="at least one second"):
        ALWAYS_OPEN.due_at(utc("2026-03-02T09:00"), seconds)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        ALWAYS_OPEN.elapsed_seconds(datetime(2026, 3, 2), utc("2026-03-03T00:00"))


def test_a_calendar_that_never_opens_has_no_due_time_and_answers_at_once():
    closed = Calendar.parse("UTC", {})
    last_chance = Calendar.parse("UTC", {}, [], {"2026-03-05": [["09:00", "10:00"]]})
    start, began = utc("2026-03-02T09:00"), time.monotonic()
    assert closed.due_at(start, 60) is None
    assert closed.next_opening(start) is None
    assert closed.elapsed_seconds(start, utc("2126-01-01T00:00")) == 0
    assert last_chance.due_at(start, 3600) == utc("2026-03-05T10:00")
    assert last_chance.due_at(start, 3601) is None
    assert time.monotonic() - began < 2


def test_forty_years_are_counted_by_months():
    calendar = Calendar.parse("Europe/Rome", OFFICE)
    assert calendar.elapsed_seconds(utc("1990-01-01T00:00"), utc("2030-01-01T00:00")) > 0  # warm
    began = time.monotonic()
    for day in range(200):
        calendar.elapsed_seconds(
            utc("1990-01-01T00:00") + timedelta(days=day), utc("2029-12-07T00:00")
        )
    assert time.monotonic() - began < 1


def test_each_span_counts_by_the_calendar_of_its_time():
    long = Calendar.parse("UTC", {"mon": [["08:00", "20:00"]], "tue": [["08:00", "20:00"]]})
    short = Calendar.parse("UTC", {"mon": [["10:00", "12:00"]], "tue": [["10:00", "12:00"]]})
    timetable = Timetable(((utc("2026-01-01T00:00"), long), (utc("2026-03-03T00:00"), short)))
    assert timetable.elapsed_seconds(utc("2026-03-02T00:00"), utc("2026-03-04T00:00")) == 14 * 3600
    assert timetable.due_at(utc("2026-03-02T19:00"), 2 * 3600) == utc("2026-03-03T11:00")
    assert timetable.due_at(utc("2026-03-02T18:00"), 2 * 3600) == utc("2026-03-02T20:00")
    # Before the first entry its hours count too.
    assert timetable.elapsed_seconds(utc("2025-12-01T00:00"), utc("2025-12-02T00:00")) == 12 * 3600


def test_calendars_follow_one_another():
    with pytest.raises(ValueError, match="own instant"):
        Timetable(((utc("2026-01-02T00:00"), ALWAYS_OPEN), (utc("2026-01-01T00:00"), ALWAYS_OPEN)))


# Properties, over any calendar.

ZONES = [
    "UTC",
    "Europe/Rome",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Apia",
]
# Around changes of clock, and far from them.
instants = st.one_of(
    st.datetimes(datetime(2011, 12, 20), datetime(2012, 1, 10), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10), timezones=st.just(UTC)),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)


@st.composite
def spans(draw) -> list[list[str]]:
    times = sorted(draw(st.sets(st.integers(0, 96), max_size=4)))
    return [
        [f"{a // 4:02}:{a % 4 * 15:02}", f"{b // 4:02}:{b % 4 * 15:02}"]
        for a, b in zip(times[::2], times[1::2], strict=False)
    ]


calendars = st.builds(
    Calendar.parse,
    st.sampled_from(ZONES),
    st.dictionaries(
        st.sampled_from(["mon", "tue", "thu", "fri", "sat", "sun"]), spans(), max_size=6
    ),
    st.lists(st.dates(date(2026, 3, 1), date(2026, 4, 10)), max_size=3),
)


@st.composite
def timetables(draw) -> Timetable:
    starts = sorted(draw(st.sets(instants, min_size=1, max_size=3)))
    return Timetable(tuple((start, draw(calendars)) for start in starts))


work_times = st.one_of(calendars, timetables())


@given(work_times, st.lists(instants, min_size=3, max_size=3))
def test_adjacent_spans_add_up(work_time, times):
    first, middle, last = sorted(times)
    assert work_time.elapsed_seconds(first, middle) + work_time.elapsed_seconds(
        middle, last
    ) == work_time.elapsed_seconds(first, last)


@given(work_times, instants, instants)
def test_open_time_is_never_more_than_time(work_time, start, end):
    elapsed = work_time.elapsed_seconds(start, end)
    assert 0 <= elapsed <= max(0, (end - start).total_seconds() + 1)
    assert end > start or elapsed == 0


@given(work_times, instants, st.integers(1, 500_000))
def test_a_due_time_is_the_first_instant_that_uses_the_target_up(work_time, start, seconds):
    due = work_time.due_at(start, seconds)
    if due is None:
        assert work_time.elapsed_seconds(start, start + timedelta(days=400)) < seconds
    else:
        assert work_time.elapsed_seconds(start, due) == seconds
        assert work_time.elapsed_seconds(start, due - timedelta(seconds=1)) == seconds - 1


@given(calendars, instants, st.integers(0, 5000))
def test_open_time_counts_the_seconds_in_which_the_wall_clock_shows_an_open_hour(
    calendar, start, minutes
):
    """The definition itself, counted minute by minute for a few days."""
    start = start.replace(second=0, microsecond=0)
    zone = ZoneInfo(calendar.time_zone)
    counted = 0
    for minute in range(minutes):
        local = (start + timedelta(minutes=minute)).astimezone(zone)
        second = local.hour * 3600 + local.minute * 60
        if local.date() not in calendar.holidays:
            counted += 60 * any(a <= second < b for a, b in calendar.week[local.weekday()])
    assert calendar.elapsed_seconds(start, start + timedelta(minutes=minutes)) == counted
