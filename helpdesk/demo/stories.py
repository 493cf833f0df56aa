"""The story lines of the demo: how often each is told, about what, and how it tends to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LIGHT, WOOD, FLAT, SOFT, HOME = "light", "wood", "flat", "soft", "home"
ANYTHING: Final = (LIGHT, WOOD, FLAT, SOFT, HOME)
ALL: Final = frozenset({0, 1, 2})


@dataclass(frozen=True, slots=True)
class Story:
    """One story line. Its texts are in `en.toml`, `it.toml` and `ro.toml` under the same key.

    `things` says, per opening, what kind of product it is about. Chances are between 0 and 1;
    `ask_after` and `again_after` name the openings after which the question, or the problem's
    return, makes sense.
    """

    key: str
    team: str
    weight: float
    things: tuple[tuple[str, ...], ...] = (ANYTHING,)
    ask: float = 0.2
    hold: float = 0.08
    again: float = 0.06
    ask_after: frozenset[int] = ALL
    again_after: frozenset[int] = ALL
    angry: float = 0.0
    angry_as: int | None = None

    def things_of(self, variant: int) -> tuple[str, ...]:
        return self.things[variant % len(self.things)]


STORIES: Final = {
    story.key: story
    for story in (
        Story("late", "orders", 17, ask=0.15, hold=0.15, again=0.09, angry=0.14),
        Story(
            "damaged",
            "orders",
            9,
            things=((LIGHT, WOOD, HOME),),
            ask=0.55,
            hold=0.12,
            again=0.10,
            angry=0.14,
        ),
        Story(
            "parts",
            "orders",
            8,
            things=((FLAT, WOOD),),
            ask=0.5,
            hold=0.12,
            again_after=frozenset({0, 1}),
            angry=0.08,
        ),
        Story("change", "orders", 10, ask=0.3, hold=0.04),
        Story("stock", "orders", 9, ask=0.5, ask_after=frozenset({1}), hold=0.06, again=0.03),
        Story("trade", "orders", 3, things=((WOOD, SOFT, LIGHT),), ask=0.6, hold=0.2),
        Story("returning", "billing", 9, ask=0.45, hold=0.06, angry=0.07, angry_as=1),
        Story("refund", "billing", 8, ask=0.25, hold=0.16, again=0.11, angry=0.24),
        Story("invoice", "billing", 8, ask=0.3, again=0.1, again_after=frozenset({1})),
        Story(
            "payment",
            "billing",
            5,
            ask=0.35,
            ask_after=frozenset({0, 1}),
            hold=0.12,
            again=0.1,
            again_after=frozenset({0}),
            angry=0.12,
            angry_as=0,
        ),
        Story("voucher", "billing", 4, ask=0.35, again=0.08, again_after=frozenset({0})),
        Story("account", "billing", 4, ask=0.3, again=0.1, again_after=frozenset({0})),
        Story(
            "assembly",
            "care",
            9,
            things=((FLAT,), (FLAT, WOOD), (HOME, FLAT)),
            ask=0.4,
            ask_after=frozenset({0}),
            again=0.12,
            again_after=frozenset({0}),
        ),
        Story(
            "advice",
            "care",
            10,
            things=((LIGHT,), (WOOD,), (SOFT,)),
            ask=0.3,
            ask_after=frozenset({1}),
            again=0.1,
            again_after=frozenset({1}),
        ),
        Story(
            "warranty",
            "care",
            8,
            things=((LIGHT,), (WOOD,)),
            ask=0.5,
            hold=0.15,
            again=0.12,
            again_after=frozenset({0}),
            angry=0.1,
            angry_as=1,
        ),
        Story("safety", "care", 0.7, things=((LIGHT,),), ask=0.5, hold=0.3, again=0.1),
    )
}
