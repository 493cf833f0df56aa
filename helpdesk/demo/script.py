"""The demo's script: which requests come in when, and what happens to each. Pure.

Every request has its own seeded chance, so that the script of a week is the same however much of
it has happened yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from helpdesk.demo.company import material
from helpdesk.demo.course import Act, Course, Life
from helpdesk.demo.stories import STORIES, Story
from helpdesk.demo.texts import Person, Scene
from helpdesk.demo.times import WEEKS, Times

SEED: Final = "casa-nord"
FIRST_NUMBER: Final = 1001
# How many requests a usual week brings, and how each of the weeks differs from it: the last entry
# is the week that is going on.
USUAL_WEEK: Final = 196
BUSY: Final = (0.92, 1.0, 0.95, 1.1, 1.03, 0.9, 1.02, 1.08, 1.0)
# How long people wait for an answer in that week, against a usual one.
SLOW: Final = (1.0, 1.0, 1.1, 1.45, 1.1, 0.85, 0.95, 1.35, 1.05)
# One batch of Aria lamps was packed badly: it shows in the last finished week.
BUMP: Final = 34
BUMP_DAYS: Final = (1, 4)
CHANNELS: Final = (("email", 47), ("form", 45), ("api", 8))
# How many choose a category on the form, and how many of all choose one of another team's.
CHOOSING: Final = 0.3
MISFILED: Final = 0.03


class Script:
    """Everything that will happen, for a company with these people and working hours."""

    def __init__(
        self,
        times: Times,
        people: Mapping[str, list[Person]],
        team_of: Callable[[Life], str],
    ) -> None:
        """`people` are those who write to each team; `team_of` foresees what triage will do."""
        self.times, self.people, self.team_of = times, people, team_of

    def by_team(self, lives: Iterable[Life]) -> dict[str, list[Life]]:
        """The lives by the team to which triage will send them, numbered through."""
        ordered = sorted(lives, key=lambda life: life.acts[0].at)
        openings = sorted(
            (act for life in ordered for act in life.openings()), key=lambda act: act.at
        )
        for number, act in enumerate(openings, start=FIRST_NUMBER):
            act.number = number
        parts: dict[str, list[Life]] = {team: [] for team in self.people}
        for life in ordered:
            parts[self.team_of(life)].append(life)
        return parts

    def weeks(self) -> Iterator[Life]:
        """The requests of all finished weeks and of the whole current one."""
        for week in range(WEEKS + 1):
            random = Random(f"{SEED}:{week}")
            for number in range(round(USUAL_WEEK * BUSY[week] * random.uniform(0.97, 1.03))):
                own = Random(f"{SEED}:{week}:{number}")
                yield self._request(own, self.times.in_week(own, week), week)
            for number in range(BUMP if week == WEEKS - 1 else 0):
                own = Random(f"{SEED}:{week}:aria:{number}")
                day = self.times.day(week, own.randint(*BUMP_DAYS))
                yield self._request(
                    own, self.times.on_day(own, day), week, story=STORIES["damaged"], product="aria"
                )
            for number in range(random.randint(1, 3)):
                own = Random(f"{SEED}:{week}:spam:{number}")
                yield self._spam(own, self.times.in_week(own, week), number=f"{week}{number}")

    def newest(self, now: datetime, *, minutes: tuple[int, ...]) -> Iterator[Life]:
        """Requests that came in so many minutes before `now`, and that nobody has touched."""
        for number, ago in enumerate(minutes):
            own = Random(f"{SEED}:new:{number}")
            yield self._request(
                own, now - timedelta(minutes=ago, seconds=own.randint(0, 50)), WEEKS, is_new=True
            )

    def _request(
        self,
        random: Random,
        at: datetime,
        week: int,
        *,
        story: Story | None = None,
        product: str = "",
        is_new: bool = False,
    ) -> Life:
        if story is None:
            story = random.choices(list(STORIES.values()), [s.weight for s in STORIES.values()])[0]
        # Now and then somebody files their request under the wrong thing.
        wrong = "" if product or random.random() > MISFILED else self._wrong_for(random, story)
        life = self._opening(random, at, story, product=product, wrong=wrong)
        if not wrong and self.team_of(life) != story.team:
            life.channel, life.chosen = "form", life.category
        if not is_new:
            Course(self.times, random, life, SLOW[week]).run()
        return life

    def _wrong_for(self, random: Random, story: Story) -> str:
        return random.choice([s.key for s in STORIES.values() if s.team != story.team])

    def _opening(
        self, random: Random, at: datetime, story: Story, *, product: str, wrong: str
    ) -> Life:
        # A few write often, most hardly ever.
        people = self.people[STORIES[wrong].team if wrong else story.team]
        person = people[int(len(people) * random.random() ** 1.7)]
        texts = material(person.language)["stories"][story.key]
        openings = texts["openings"]
        variant = random.randrange(len(openings))
        is_angry = bool(texts.get("angry")) and random.random() < story.angry
        if is_angry and story.angry_as is not None:
            variant = story.angry_as
        scene = Scene(random, person, things=story.things_of(variant), product=product)
        body = scene.fill(random.choice(texts["angry"]) if is_angry else openings[variant], at)
        channel = random.choices([c for c, _ in CHANNELS], [w for _, w in CHANNELS])[0]
        category = category_of(story.key)
        chosen = category if channel == "form" and random.random() < CHOOSING else ""
        return Life(
            scene=scene,
            story=story,
            variant=variant,
            category=category,
            channel="form" if wrong else channel,
            subject=scene.fill(random.choice(texts["subjects"][variant :: len(openings)]), at),
            acts=[Act(at, "open", body if is_angry else scene.letter(body, at))],
            is_angry=is_angry,
            chosen=category_of(wrong) if wrong else chosen,
            tags=("aria-glass",) if product else ("carrier-claim",),
        )

    def _spam(self, random: Random, at: datetime, *, number: str) -> Life:
        spam = material("world")["spam"]
        story = STORIES["late"]
        person = Person("Growth Desk", f"desk{number}@bulk.example", "en", is_woman=False, city="")
        reading = self.times.work(story.team, at, random.uniform(0.1, 2))
        return Life(
            scene=Scene(random, person, product="lumo"),
            story=story,
            variant=0,
            category="",
            channel="email",
            subject=random.choice(spam["subjects"]),
            acts=[
                Act(at, "open", random.choice(spam["bodies"])),
                Act(reading, "mark", then="solved"),
            ],
            mark="spam",
        )


def category_of(story: str) -> str:
    """The key in `company.toml` of the category that a story line belongs to."""
    return "returns" if story == "returning" else story
