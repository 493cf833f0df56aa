"""What amounts, times and names look like; no database."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.templatetags import look

ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 11, 20, 11, 52, tzinfo=ROME)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (42, "42 s"),
        (60, "1 min"),
        (21 * 60, "21 min"),
        (3569, "59 min"),
        (3600, "1 h"),
        (8.3 * 3600, "8.3 h"),
        (19 * 3600, "19 h"),
        (19.9 * 3600, "20 h"),
        (29 * 3600, "1 d 5 h"),
        (48 * 3600, "2 d"),
        (20 * 86400 + 3 * 3600, "20 d"),
        (-6 * 60, "\u22126 min"),
        (timedelta(minutes=38), "38 min"),
        (None, ""),
    ],
)
def test_a_duration_is_short(seconds: float | timedelta | None, text: str) -> None:
    assert look.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "value", "unit"),
    [
        (21 * 60, "21", "min"),
        (8.3 * 3600, "8.3", "h"),
        (46 * 3600, "46", "h"),
        (4 * 86400, "4", "d"),
    ],
)
def test_a_figure_has_one_value_and_one_unit(seconds: float, value: str, unit: str) -> None:
    assert look.duration_parts(seconds) == (value, unit)


def test_a_figure_of_nothing_is_nothing() -> None:
    assert look.duration_parts(None) is None


def test_a_duration_is_written_as_the_language_writes_numbers() -> None:
    with translation.override("it"):
        assert look.duration(8.3 * 3600).startswith("8,3 ")


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_is_never_sixty_minutes_or_twenty_four_hours(seconds: int) -> None:
    parts = {
        unit: float(value) for value, unit in re.findall(r"([\d.]+) (\w+)", look.duration(seconds))
    }
    assert parts.get("s", 0) < 60
    assert parts.get("min", 0) < 60
    assert parts.get("h", 0) < 24


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=4), "4 min"),
        (timedelta(minutes=63), "1 h"),
        (timedelta(hours=11), "11 h"),
        (timedelta(hours=14), "Yesterday"),
        (timedelta(days=3), "Tue"),
        (timedelta(days=69), "12 Sep"),
        (timedelta(days=400), "16 Oct 2025"),
    ],
)
def test_how_long_ago_is_told_in_few_letters(before: timedelta, text: str) -> None:
    assert look.ago_text(NOW - before, NOW) == text


def test_a_moment_in_a_timeline_names_its_day_only_when_that_is_not_today() -> None:
    assert look.stamp_text(NOW.replace(hour=9, minute=12), NOW) == "09:12"
    assert look.stamp_text(NOW - timedelta(days=1), NOW) == "Yesterday 11:52"
    assert look.stamp_text(NOW - timedelta(days=69), NOW) == "12 Sep 11:52"


def test_a_time_says_its_exact_moment_to_machines() -> None:
    assert 'datetime="2026-11-20T11:52:00+01:00"' in look.stamp(NOW)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Chiara Bellini", "CB"),
        ("Studio Verdi S.r.l.", "SS"),
        ("ana@example.it", "A"),
        ("  ", "?"),
        ("<b>", "?"),
        ("îon șerban", "ÎȘ"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert look.initials(name) == letters


def test_a_name_keeps_its_tone() -> None:
    assert look.tone("Chiara Bellini") == look.tone("chiara bellini")
    assert {look.tone(f"Person {n}") for n in range(60)} == {1, 2, 3, 4}


@pytest.mark.parametrize("value", ['"onfocus=alert(1) x="', "\"'><script>", '{"a": "\'><b>"}'])
def test_what_a_component_passes_on_cannot_leave_its_attribute(value: str) -> None:
    html = look.spread({"title": value, "hidden": True, "lang": None})
    assert html.count('"') == 2
    assert "<" not in html.replace("&lt;", "")
    assert html.endswith(" hidden")


@given(st.floats(min_value=0.01, max_value=10**9))
def test_the_axis_reaches_the_highest_bar_in_few_round_steps(top: float) -> None:
    step, count = look.nice_steps(top)
    assert step * count >= top * 0.999
    assert 1 <= count <= 5


def test_a_bar_is_as_high_as_its_share_of_the_axis() -> None:
    plot = look.bar_plot(
        ["Mon", "Tue"],
        [{"name": "Received", "values": [100, 50]}],
        {"name": "Usual", "values": [25, None]},
    )
    whole, half = plot.bars
    assert [tick.label for tick in plot.ticks] == ["0", "25", "50", "75", "100"]
    assert whole.height == pytest.approx(2 * half.height, abs=0.1)
    assert half.y + half.height == pytest.approx(plot.floor, abs=0.1)
    assert len(plot.dots) == 1
    assert plot.rows == [("Mon", ["100", "25"]), ("Tue", ["50", "–"])]


def test_a_chart_of_nothing_still_has_an_axis() -> None:
    plot = look.bar_plot(["Mon"], [{"name": "Received", "values": [0]}])
    assert plot.bars[0].height == 0
    assert len(plot.ticks) > 1
