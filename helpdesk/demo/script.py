"""The demo's script: which requests come in when, and what happens to each. Pure.

Every request has its own seeded chance, so that the script of a week is the same however much of
it has happened yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from helpdesk.demo.company import material
from helpdesk.demo.course import Act, Course, Life
from helpdesk.demo.stories import STORIES, Story
from helpdesk.demo.texts import Person, Scene
from helpdesk.demo.times import WEEKS, Times

SEED: Final = "casa-nord"
# How many requests a usual week brings, and how each of the weeks differs from it: the last entry
# is the week that is going on.
USUAL_WEEK: Final = 218
BUSY: Final = (0.92, 1.0, 0.95, 1.1, 1.03, 0.9, 1.02, 1.08, 1.0)
# How long people wait for an answer in that week, against a usual one.
SLOW: Final = (1.0, 1.0, 1.1, 1.45, 1.1, 0.85, 0.95, 1.35, 1.05)
# One batch of Aria lamps was packed badly: it shows in the last finished week.
BUMP: Final = 34
BUMP_DAYS: Final = (1, 4)
CHANNELS: Final = (("email", 47), ("form", 45), ("api", 8))


class Script:
    """Everything that will happen, for a company with these people and working hours."""

    def __init__(self, times: Times, people: list[Person]) -> None:
        self.times, self.people = times, people

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
                yield self._spam(own, self.times.in_week(own, week))

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
        # A few write often, most hardly ever.
        person = self.people[int(len(self.people) * random.random() ** 1.7)]
        texts = material(person.language)["stories"][story.key]
        openings = texts["openings"]
        variant = random.randrange(len(openings))
        is_angry = bool(texts.get("angry")) and random.random() < story.angry
        if is_angry and story.angry_as is not None:
            variant = story.angry_as
        scene = Scene(random, person, things=story.things_of(variant), product=product)
        opening = random.choice(texts["angry"]) if is_angry else openings[variant]
        channel = random.choices([c for c, _ in CHANNELS], [w for _, w in CHANNELS])[0]
        body = scene.fill(opening, at)
        life = Life(
            scene=scene,
            category="returns" if story.key == "returning" else story.key,
            team=story.team,
            channel=channel,
            subject=scene.fill(random.choice(texts["subjects"][variant :: len(openings)]), at),
            acts=[Act(at, "open", body if is_angry else scene.letter(body, at))],
            is_angry=is_angry,
            chooses_category=channel == "form" and random.random() < 0.3,
            tags=("aria-glass",) if product else (),
        )
        if not is_new:
            Course(self.times, random, life, story, texts, variant, SLOW[week]).run()
        return life

    def _spam(self, random: Random, at: datetime) -> Life:
        spam = material("world")["spam"]
        person = Person(
            "Growth Desk",
            f"desk{random.randint(10, 99)}@bulk.example",
            "en",
            is_woman=False,
            city="",
        )
        scene = Scene(random, person, product="lumo")
        return Life(
            scene=scene,
            category="",
            team="orders",
            channel="email",
            subject=random.choice(spam["subjects"]),
            acts=[
                Act(at, "open", random.choice(spam["bodies"])),
                Act(self.times.work("orders", at, random.uniform(0.1, 2)), "mark", then="solved"),
            ],
            mark="spam",
        )
