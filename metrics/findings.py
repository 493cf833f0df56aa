"""What is unusual in a week, against the four weeks before it: facts, for the page to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from metrics.week import Key, Review, Shares, TeamWeek, Times

# Fewer cases than these say nothing about a team.
RESPONSES_AT_LEAST = 10
ANSWERS_AT_LEAST = 10
SOLVES_AT_LEAST = 10
BY_HALF = 1.5
TEN_MINUTES = 600
AT_MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that stands out. `kind` says which sentence it is; `tone` is bad, good or neither.

    `now` and `usual` are tickets, seconds or per cent, as the kind has it; `count` tickets of
    `figure` stand behind it.
    """

    kind: str
    tone: str
    now: float
    usual: float
    count: int
    figure: str
    name: str = ""
    team: Key = ""
    category: Key = ""
    share: float | None = None


def findings(review: Review) -> list[Finding]:
    """What stands out, the worst first; nothing as long as there are no weeks to compare with."""
    if not any(review.received.earlier):
        return []
    found = [*_volume(review), *_topics(review), *_unanswered(review)]
    for team in review.teams:
        found += [*_responses(team), *_ratings(team), *_reopenings(team)]
    rank = {"bad": 0, "": 1, "good": 2}
    return sorted(found, key=lambda each: (rank[each.tone], -each.count))[:AT_MOST]


def _volume(review: Review) -> Iterator[Finding]:
    if review.received.is_unusually_high:
        yield Finding(
            kind="received",
            tone="",
            now=review.received.now,
            usual=review.received.usual,
            count=review.received.now,
            figure="received",
            team=review.team,
        )
    waiting = review.backlog
    if waiting.is_unusually_high and waiting.now > waiting.usual * 1.2:
        yield Finding(
            kind="backlog",
            tone="bad",
            now=waiting.now,
            usual=waiting.usual,
            count=waiting.now,
            figure="backlog",
            team=review.team,
        )


def _topics(review: Review) -> Iterator[Finding]:
    for topic in review.topics:
        if topic.key != "none" and topic.count.is_unusually_high:
            yield Finding(
                kind="topic",
                tone="bad",
                now=topic.count.now,
                usual=topic.count.usual,
                count=topic.count.now,
                figure="received",
                name=topic.name,
                team=review.team,
                category=topic.key,
                share=100 * topic.count.now / review.received.now,
            )


def _unanswered(review: Review) -> Iterator[Finding]:
    if review.is_over and review.unanswered:
        yield Finding(
            kind="unanswered",
            tone="bad",
            now=review.unanswered,
            usual=0,
            count=review.unanswered,
            figure="unanswered",
            team=review.team,
        )


def _responses(team: TeamWeek) -> Iterator[Finding]:
    times = team.first_response
    tone = _slower_or_quicker(times)
    if tone is not None and times.now.p90 is not None and times.usual.p90 is not None:
        yield Finding(
            kind="slower" if tone == "bad" else "quicker",
            tone=tone,
            now=times.now.p90,
            usual=times.usual.p90,
            count=times.now.count,
            figure="first_response",
            name=team.name,
            team=team.key,
        )


def _slower_or_quicker(times: Times) -> str | None:
    now, usual = times.now.p90, times.usual.p90
    if now is None or usual is None or times.now.count < RESPONSES_AT_LEAST:
        return None
    if abs(now - usual) < TEN_MINUTES:
        return None
    if now > usual * BY_HALF:
        return "bad"
    return "good" if now * BY_HALF < usual else None


def _ratings(team: TeamWeek) -> Iterator[Finding]:
    tone = _differs(team.satisfied, ANSWERS_AT_LEAST)
    now, usual = team.satisfied.now, team.satisfied.usual
    if tone and now.percent is not None and usual.percent is not None:
        yield Finding(
            kind="satisfaction",
            tone="good" if tone == "higher" else "bad",
            now=now.percent,
            usual=usual.percent,
            count=now.whole if tone == "higher" else now.whole - now.part,
            figure="rated" if tone == "higher" else "dissatisfied",
            name=team.name,
            team=team.key,
        )


def _reopenings(team: TeamWeek) -> Iterator[Finding]:
    now, usual = team.reopened.now, team.reopened.usual
    higher = _differs(team.reopened, SOLVES_AT_LEAST) == "higher"
    if higher and now.percent is not None and usual.percent is not None:
        yield Finding(
            kind="reopened",
            tone="bad",
            now=now.percent,
            usual=usual.percent,
            count=now.part,
            figure="reopened",
            name=team.name,
            team=team.key,
        )


def _differs(shares: Shares, at_least: int) -> str | None:
    """Whether what is usual lies outside the interval in which the week's true share lies."""
    interval, usual = shares.now.interval, shares.usual.percent
    if interval is None or usual is None or min(shares.now.whole, shares.usual.whole) < at_least:
        return None
    low, high = interval
    if usual < low:
        return "higher"
    return "lower" if usual > high else None
