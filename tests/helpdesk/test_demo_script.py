"""The demo's script is pure: it needs no database, only what triage would do."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from helpdesk.demo import company, customers
from helpdesk.demo.script import Script
from helpdesk.demo.times import WEEKS, Times, monday_of
from triage.business_time import Calendar

ROME = ZoneInfo("Europe/Rome")


def written(monday):
    calendars = {
        key: Calendar.parse("Europe/Rome", company.week_of(key))
        for key in company.material("company")["teams"]
    }
    people = customers.by_team(customers.invent())
    return list(Script(Times(monday, calendars), people, lambda life: life.team).weeks())


def told(lives, monday):
    """All that happens, with times counted from the beginning of the current week."""
    return [
        (life.subject, life.channel, [(act.at - monday, act.kind, act.then) for act in life.acts])
        for life in lives
    ]


@pytest.fixture(scope="module")
def monday():
    return monday_of(datetime(2026, 3, 18, 15, 30, tzinfo=UTC), ROME)


@pytest.fixture(scope="module")
def lives(monday):
    return written(monday)


def test_the_week_begins_on_monday_at_midnight_of_the_company():
    sunday_night = datetime(2026, 3, 22, 22, 59, tzinfo=UTC)
    assert monday_of(sunday_night, ROME) == datetime(2026, 3, 16, tzinfo=ROME)
    assert monday_of(sunday_night + timedelta(minutes=1), ROME) == datetime(
        2026, 3, 23, tzinfo=ROME
    )


def test_the_same_week_is_always_the_same(lives, monday):
    assert told(written(monday), monday) == told(lives, monday)


def test_there_are_about_two_thousand_requests_in_eight_weeks(lives, monday):
    finished = [life for life in lives if life.acts[0].at < monday]
    assert 1_600 < len(finished) < 2_100
    assert min(life.acts[0].at for life in finished) >= monday - timedelta(weeks=WEEKS)


def test_requests_come_by_day_and_mostly_on_working_days(lives):
    hours = Counter(life.acts[0].at.astimezone(ROME).hour for life in lives)
    assert hours[10] > 10 * hours[3]
    days = Counter(life.acts[0].at.astimezone(ROME).weekday() for life in lives)
    assert days[0] > days[5] > 0


def test_one_topic_stands_out_in_the_last_finished_week(lives, monday):
    weeks = Counter(
        (life.acts[0].at - monday) // timedelta(weeks=1)
        for life in lives
        if life.category == "damaged"
    )
    last, before = weeks[-1], [weeks[n] for n in (-5, -4, -3, -2)]
    assert last > 2 * max(before)
    aria = [life for life in lives if "aria-glass" in life.tags]
    assert all("Aria" in life.acts[0].body + life.subject or life.is_angry for life in aria[:5])


def test_agents_answer_in_working_hours(lives):
    hours = {
        act.at.astimezone(ROME).hour for life in lives for act in life.acts if act.kind == "reply"
    }
    assert min(hours) >= 9
    assert max(hours) <= 18


def test_nobody_writes_to_two_teams():
    parts = customers.by_team(customers.invent())
    emails = [person.email for people in parts.values() for person in people]
    assert len(emails) == len(set(emails))
    assert min(len(people) for people in parts.values()) > 40
