"""Shares, spreads and what stands out, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev
from typing import Any

from django.db.models import Aggregate, FloatField

SYSTEMIC_FROM = 5


class PercentileCont(Aggregate):
    """PostgreSQL's interpolating percentile: `PercentileCont("seconds", fraction=0.9)`."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, *expressions: Any, fraction: float, **extra: Any) -> None:
        super().__init__(*expressions, fraction=float(fraction), **extra)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took: never a mean without median and 90th percentile. In seconds."""

    count: int = 0
    mean: float | None = None
    median: float | None = None
    p90: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, such as satisfied answers of all answers."""

    part: int = 0
    whole: int = 0

    @property
    def percent(self) -> float | None:
        return 100 * self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson score interval of the percentage.

        Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference.
        """
        if not self.whole:
            return None
        z, n, p = 1.959964, self.whole, self.part / self.whole
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, 100 * (centre - reach)), min(100.0, 100 * (centre + reach))

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole)


@dataclass(frozen=True, slots=True)
class Count:
    """How many in the period, and how many in each of the four before it, the latest first."""

    now: int
    earlier: tuple[int, ...]

    @property
    def before(self) -> int:
        return self.earlier[0]

    @property
    def usual(self) -> float:
        return mean(self.earlier)

    @property
    def change_percent(self) -> float | None:
        return 100 * (self.now - self.before) / self.before if self.before else None

    @property
    def is_unusually_high(self) -> bool:
        """More than two standard deviations above the mean of the four weeks, and at least five."""
        return self.now >= SYSTEMIC_FROM and self.now > self.usual + 2 * stdev(self.earlier)

    def __add__(self, other: Count) -> Count:
        pairs = zip(self.earlier, other.earlier, strict=True)
        return Count(self.now + other.now, tuple(a + b for a, b in pairs))


def count_of(values: Sequence[int]) -> Count:
    """A count from the period's number followed by those of the four before it."""
    return Count(values[0], tuple(values[1:]))
