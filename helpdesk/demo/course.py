"""How one request of the demo goes on after its first message. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from helpdesk.demo.stories import Story
from helpdesk.demo.texts import Scene
from helpdesk.demo.times import Times, around
from tickets.models.tickets import reopen_window

# Working hours until the first answer: the median of each team.
PACE: Final = {"orders": 1.5, "billing": 2.6, "care": 2.0}


@dataclass(slots=True)
class Act:
    """One thing that happens. `then` is the status category in which it leaves the request."""

    at: datetime
    kind: str
    body: str = ""
    opening: str = ""
    then: str = ""
    # Of the ticket that it opens, counted through all requests in the order of their time.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Rating:
    """How a customer will answer the survey, if it reaches them."""

    after: timedelta
    score: int
    comment: str


@dataclass(slots=True)
class Life:
    """A request from its first message on."""

    scene: Scene
    story: Story
    variant: int
    category: str
    channel: str
    subject: str
    acts: list[Act]
    is_angry: bool = False
    # What the customer chose on the form, if they chose.
    chosen: str = ""
    rating: Rating | None = None
    tags: tuple[str, ...] = ()
    mark: str = ""

    @property
    def team(self) -> str:
        """The team whose work it is, wherever triage sends it first."""
        return self.story.team

    def openings(self) -> list[Act]:
        """The acts that open a ticket: the first, and what comes too long after a solve."""
        opening, solved_at = [self.acts[0]], None
        for act in self.acts[1:]:
            if act.kind == "write" and solved_at and act.at > solved_at + reopen_window():
                opening.append(act)
            solved_at = act.at if act.then == "solved" else None
        return opening


class Course:
    """How one request goes on after its first message."""

    def __init__(
        self,
        times: Times,
        random: Random,
        life: Life,
        slow: float,
    ) -> None:
        self.times, self.random, self.life, self.slow = times, random, life, slow
        self.story, self.variant = life.story, life.variant
        self.common = life.scene.texts
        self.texts: Mapping[str, list[str]] = self.common["stories"][life.story.key]
        self.at = life.acts[0].at
        self.reopenings = 0

    def run(self) -> None:
        is_neglected = self._chance(0.022)
        opening = self._wait_for_us(is_neglected=is_neglected)
        if (
            self.texts.get("ask")
            and self.variant in self.story.ask_after
            and self._chance(self.story.ask)
        ):
            self._add("reply", self._one("ask"), opening=opening, then="pending")
            if self._chance(0.1):
                self._give_up()
                return
            self._customer(self._one("given"), median_hours=7)
            self._work(0.8)
            opening = ""
        if self._chance(self.story.hold):
            self._add("hold", self._one("hold"), then="on_hold")
            self.at = self.times.work(self.life.team, self.at, self.random.uniform(7, 22))
        answers = self.texts["answers"]
        self._answer(answers[self.variant % len(answers)], opening)
        if self.variant in self.story.again_after and self._chance(self.story.again):
            self._again()
        self._rate(is_neglected=is_neglected)

    def _wait_for_us(self, *, is_neglected: bool) -> str:
        """Pass the time until we first answer; somebody who waits long writes again."""
        asked = self.at
        pace = PACE[self.life.team] * self.slow
        if is_neglected:
            hours = self.random.uniform(16, 38)
        else:
            hours = around(self.random, pace * (0.5 if self.life.is_angry else 1.0), 0.85)
        first = self.times.work(self.life.team, asked, hours)
        chasers = 0
        while chasers < 2:
            self.at = self.times.leisure(self.random, self.at, median_hours=34)
            if self.at >= first or not self._chance(0.5):
                break
            kind = "angry_chasers" if chasers or self.life.is_angry else "chasers"
            self._add("write", self._common(kind))
            chasers += 1
        self.at = first - timedelta(minutes=self.random.randint(3, 25))
        if self._chance(0.55):
            self._add("take")
        if self._chance(0.2):
            self._add("note", self._one("notes"))
        if "aria-glass" in self.life.tags or self._chance(0.12):
            self._add("tag")
        self.at = first
        return self._common("apologies") if chasers else ""

    def _answer(self, answer: str, opening: str) -> None:
        if self._chance(0.74):
            self._add("reply", answer, opening=opening, then="solved")
            return
        self._add("reply", answer, opening=opening, then="pending")
        if self._chance(0.6):
            self._customer(self._common("thanks"), median_hours=3)
            self._work(0.6)
            if self._chance(0.3):
                self._add("reply", self._common("thanks_replies"), then="solved")
                return
        else:
            self.at += timedelta(days=2)
            self._work(2)
        self._add("solve", then="solved")

    def _again(self) -> None:
        """The problem comes back: mostly within days, now and then after the request was closed."""
        self.reopenings += 1
        hours = 18 * 24 if self._chance(0.08) else 26
        self._customer(self._one("again"), median_hours=hours)
        self._work(0.7)
        self._add("reply", self._one("settled"), then="solved")

    def _give_up(self) -> None:
        """The customer never says what we asked."""
        self.at += timedelta(days=4)
        self._work(1)
        self._add("solve", then="solved")

    def _rate(self, *, is_neglected: bool) -> None:
        chances = [2, 3, 7, 26, 62]
        if self.life.is_angry:
            chances = [22, 17, 17, 24, 20]
        if is_neglected:
            chances = [38, 24, 16, 14, 8]
        elif self.slow > 1.2:
            chances = [6, 8, 12, 32, 42]
        if self.reopenings:
            chances = [14, 16, 20, 28, 22]
        if not self._chance(0.42):
            return
        score = self.random.choices((1, 2, 3, 4, 5), chances)[0]
        comment = ""
        if self._chance(0.65 if score <= 2 else 0.34):
            comment = self.random.choice(self.common["ratings"][str(score)])
        after = timedelta(hours=around(self.random, 5, 1.2))
        self.life.rating = Rating(after, score, comment)

    # -- Saying it briefly ---------------------------------------------------------------------

    def _add(self, kind: str, body: str = "", *, opening: str = "", then: str = "") -> None:
        self.life.acts.append(Act(self.at, kind, body, opening, then))

    def _customer(self, body: str, *, median_hours: float) -> None:
        self.at = self.times.leisure(self.random, self.at, median_hours=median_hours)
        self._add("write", body)

    def _work(self, share: float) -> None:
        hours = around(self.random, PACE[self.life.team] * self.slow * share, 0.8)
        self.at = self.times.work(self.life.team, self.at, hours)

    def _one(self, key: str) -> str:
        return self.random.choice(self.texts[key])

    def _common(self, key: str) -> str:
        lines: list[str] = self.common[key]
        return self.random.choice(lines)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share
