import json
from datetime import date
from pathlib import Path

import pytest

from metrics.periods import Week
from metrics.statistics import Count, Share

DEFINITIONS = Path(__file__).parents[3] / "shared" / "data" / "metrics" / "definitions.json"


def published(metric: str) -> list:
    if not DEFINITIONS.exists():
        reason = "the published examples are not on this machine"
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=reason))]
    items = json.loads(DEFINITIONS.read_text())["items"]
    return [item for item in items if item["metric"] == metric and "input" in item]


@pytest.mark.parametrize("example", published("CSAT"))
def test_published_satisfaction(example):
    answers = {int(score): number for score, number in example["input"].items()}
    share = Share(answers[4] + answers[5], sum(answers.values()))
    assert share.percent == pytest.approx(example["expected"], abs=example["tolerance"])


@pytest.mark.parametrize("example", published("FCR"))
def test_published_first_contact(example):
    given = example["input"]
    assert Share(given["first_contact"], given["total"]).percent == example["expected"]


def test_an_interval_holds_its_share_and_narrows_with_more_answers():
    few, many = Share(8, 10), Share(800, 1000)
    # Wilson, by hand for 8 of 10.
    assert few.interval == (pytest.approx(49.02, abs=0.01), pytest.approx(94.33, abs=0.01))
    assert many.interval[1] - many.interval[0] < few.interval[1] - few.interval[0]
    assert Share(0, 5).interval[0] == pytest.approx(0)
    assert Share(5, 5).interval[1] == pytest.approx(100)
    assert Share().interval is None
    assert Share().percent is None


def test_only_five_or_more_and_two_deviations_above_is_unusual():
    assert Count(6, (2, 2, 2, 2)).is_unusually_high
    assert not Count(4, (0, 0, 0, 0)).is_unusually_high
    assert not Count(12, (4, 8, 12, 8)).is_unusually_high
    assert Count(15, (4, 8, 12, 8)).is_unusually_high


def test_weeks_begin_on_monday_and_change_with_the_clock():
    week = Week.parse("2026-W13")
    assert (week.monday, week.sunday) == (date(2026, 3, 23), date(2026, 3, 29))
    # Summer time begins on that Sunday: one hour less.
    assert (week.whole.end - week.whole.start).total_seconds() == (7 * 24 - 1) * 3600
    assert str(Week.parse("2026-W53").plus(1)) == "2027-W01"
    assert Week.of(date(2027, 1, 1)) == Week.parse("2026-W53")
