"""The fold over a real desk's event log, against numbers computed from it independently."""

import csv
import gzip
import json
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from metrics.fold import HistoryEvent, fold
from triage.business_time import Calendar

LOG = Path(__file__).parents[3] / "shared" / "data" / "history"

pytestmark = pytest.mark.skipif(
    not (LOG / "helpdesk.csv").exists(), reason="the real log is not on this machine"
)

DONE = {"Resolve ticket": "solved", "Closed": "closed"}
OFFICE = Calendar.parse(
    "UTC", {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
)


class Calendars:
    def elapsed_seconds(self, team_id, start, end):
        return OFFICE.elapsed_seconds(start, end)


def events_of(rows: list[tuple[datetime, str]]) -> list[HistoryEvent]:
    """A case as our events: the request comes with its first row, taking it in charge answers it,
    and any other work on what was resolved or closed takes it up again."""
    events: list[HistoryEvent] = []

    def add(kind: str, at: datetime, status: str, actor: str = "user") -> None:
        events.append(
            HistoryEvent(
                id=len(events),
                kind=kind,
                occurred_at=at,
                actor_kind=actor,
                status_category=status,
                team_id=1,
            )
        )

    status = "new"
    add("ticket.opened", rows[0][0], status, "customer")
    add("message.received", rows[0][0], status, "customer")
    for at, activity in rows:
        if activity in DONE:
            status = DONE[activity]
            add("ticket.closed" if status == "closed" else "ticket.solved", at, status)
            continue
        if status in DONE.values():
            status = "open"
            add("ticket.reopened", at, status)
        if activity == "Take in charge ticket":
            add("message.sent", at, status)
        else:
            add("note.added", at, status)
    return events


@pytest.fixture(scope="module")
def cases():
    rows = defaultdict(list)
    with (LOG / "helpdesk.csv").open() as file:
        for row in csv.reader(file):
            if row[0] != "Case ID":
                at = datetime.strptime(row[3], "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=UTC)
                rows[row[0]].append((at, row[1]))
    return dict(rows)


@pytest.fixture(scope="module")
def facts(cases):
    return {case: fold(events_of(rows), Calendars()) for case, rows in cases.items()}


@pytest.fixture(scope="module")
def reference():
    return json.loads((LOG / "helpdesk-reference.json").read_text())


@pytest.fixture(scope="module")
def expected():
    with gzip.open(LOG / "helpdesk-per-case-expected.csv.gz", "rt") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


def quantile(values, share):
    values = sorted(values)
    position = share * (len(values) - 1)
    low = int(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (position - low)


def same(seconds, published, *, unit):
    values = [each / unit for each in seconds]
    assert len(values) == published["n"]
    assert mean(values) == pytest.approx(published["mean"], abs=1e-3)
    assert quantile(values, 0.5) == pytest.approx(published["median"], abs=1e-3)
    assert quantile(values, 0.9) == pytest.approx(published["p90"], abs=1e-3)


def test_first_response_times_are_the_published_ones(facts, reference):
    first = [f.responses[0].duration for f in facts.values() if f.responses]
    business = reference["business_hours_Mon-Fri_09-17_no_holidays"]
    key = "time_to_first_take_in_charge_hours"
    same([d.seconds for d in first], reference[key], unit=3600)
    same([d.business_seconds for d in first], business[key], unit=3600)


def test_each_first_resolution_time_is_the_published_one(facts, expected):
    """The reference counts from the first "Resolve ticket"; a case closed before that is ours."""
    compared = 0
    for case, row in expected.items():
        solves = facts[case].solves
        closed_first = row["first_closed"] and (
            not row["first_resolved"] or row["first_closed"] < row["first_resolved"]
        )
        if not solves or closed_first:
            assert not row["first_resolved"] or closed_first
            continue
        assert solves[0].duration.seconds == float(row["ttfr_s"])
        assert solves[0].duration.business_seconds == float(row["ttfr_biz_s"])
        compared += 1
    assert compared > 4500


def test_each_last_resolution_time_is_the_published_one(cases, facts, expected):
    """The reference takes the last "Resolve ticket"; we do not count one on top of another."""
    compared = 0
    for case, rows in cases.items():
        done = [activity in DONE for _, activity in rows]
        if any(a and b and rows[i + 1][1] != "Closed" for i, (a, b) in enumerate(pairwise(done))):
            continue
        row, solves = expected[case], facts[case].solves
        if (
            not row["last_resolved"]
            or solves[-1].solved_at.isoformat(" ")[:19] != row["last_resolved"]
        ):
            continue
        assert solves[-1].duration.business_seconds == float(row["ttlr_biz_s"])
        compared += 1
    assert compared > 4300


def test_reopenings_are_the_published_ones(facts, reference):
    reopened = [f.reopen_count for f in facts.values() if f.reopen_count]
    assert len(reopened) == reference["reopened_cases"]
    assert sum(reopened) == reference["reopen_transitions"]
    rate = len(reopened) / sum(bool(f.solves) for f in facts.values())
    assert rate == pytest.approx(reference["reopen_rate_of_resolved_or_closed"], abs=1e-6)
