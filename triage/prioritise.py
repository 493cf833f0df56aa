"""How soon a request needs somebody: a priority, and each reason that moved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickets.models import Priority
from triage import words
from triage.classify import Reason

# One loud sign is a habit of writing; two of them, or a word of anger, are anger.
ANGER_NEEDED: Final = 2
# However many reasons there are, they lift a request by no more than this.
STEPS_UP: Final = 2


@dataclass(frozen=True, slots=True)
class Assessment:
    """The priority, its reasons in the order in which they were weighed, and the mood."""

    priority: Priority
    reasons: tuple[Reason, ...]
    is_angry: bool


def prioritise(
    text: str, *, subject: str, language: str, tier: str, base: int | None = None
) -> Assessment:
    """Weigh the words of a request, its customer's tier and signs of anger.

    `base` is the category's own priority; without one it is normal. Words of danger make any
    request urgent. Haste, anger and the VIP tier each lift by one, at most by two together; haste
    brings at least to high. "Not urgent" lowers by one what nothing else lifts.
    """
    whole = f"{subject}\n\n{text}"
    reading = words.read(whole)
    reasons: list[Reason] = []
    start = Priority(base) if base is not None else Priority.NORMAL
    if base is not None and start != Priority.NORMAL:
        reasons.append(Reason(code="category_priority", priority=start.name.lower()))

    steps, floor = 0, Priority.LOW
    danger = words.find_danger(reading, language)
    if danger:
        floor = Priority.URGENT
        reasons.append(Reason(code="danger_word", word=danger.word))

    urgency = words.find_urgency(reading, language)
    if urgency and not urgency.negated:
        steps, floor = steps + 1, max(floor, Priority.HIGH)
        reasons.append(Reason(code="urgency_word", word=urgency.word))

    if tier == "vip":
        steps += 1
        reasons.append(Reason(code="tier", tier=tier))

    anger = _anger(whole, reading, language)
    if anger:
        steps += 1
        reasons.extend(anger)

    if urgency and urgency.negated and not steps and not danger:
        steps = -1
        reasons.append(Reason(code="not_urgent", word=urgency.word))

    lifted = start + min(steps, STEPS_UP)
    priority = Priority(min(max(lifted, floor, Priority.LOW), Priority.URGENT))
    return Assessment(priority, tuple(reasons), is_angry=bool(anger))


def _anger(whole: str, reading: words.Reading, language: str) -> list[Reason]:
    signs: list[Reason] = []
    strength = 0
    if found := words.find_anger(reading, language):
        strength += ANGER_NEEDED
        signs.append(Reason(code="anger_word", word=found.word))
    if words.shouts(whole):
        strength += ANGER_NEEDED
        signs.append(Reason(code="capitals"))
    if count := words.exclamations(whole):
        # Six and more are shouting by themselves.
        strength += ANGER_NEEDED if count >= 6 else 1
        signs.append(Reason(code="exclamation_marks", count=count))
    return signs if strength >= ANGER_NEEDED else []
