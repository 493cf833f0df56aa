"""What a message is about: the seam between triage and whatever tells categories apart.

Today the company's own keywords and sender rules decide. A learned classifier takes the same
arguments and returns the same `Suggestion`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from triage import words

# A subject is what the customer themselves calls the matter, in a few chosen words.
SUBJECT_WEIGHT: Final = 3.0
BODY_WEIGHT: Final = 1.0
# A word of another language than the text's is often a false friend, seldom a hint.
FOREIGN_WEIGHT: Final = 0.5
# How much evidence half convinces: one word in the body gives a confidence of a half.
DOUBT: Final = 1.0


# Why something was decided, as an event stores it: a "code" that `triage.reasons` has a sentence
# for, and the words, names and counts that the sentence needs.
Reason: TypeAlias = dict[str, Any]

# What a category is called, as a reason keeps it: "category" in the company's own words ("Billing ›
# Refund") and, where it differs, "categories" by language.
Label: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """A keyword of a category. `language` may be empty: then it counts the same in every one."""

    category_id: int
    label: Label
    phrase: str
    language: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class SenderPattern:
    """An address, or a domain with its subdomains, whose mail is always about one category."""

    category_id: int
    label: Label
    pattern: str

    def matches(self, sender: str) -> bool:
        pattern = self.pattern.strip().casefold().removeprefix("*")
        if not pattern.strip("@."):
            return False
        address = sender.strip().casefold()
        if "@" in pattern and not pattern.startswith("@"):
            return address == pattern
        domain = address.rpartition("@")[2]
        pattern = pattern.lstrip("@.")
        return bool(domain) and (domain == pattern or domain.endswith(f".{pattern}"))


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All that the company has told triage about its categories."""

    terms: tuple[Term, ...] = ()
    senders: tuple[SenderPattern, ...] = ()
    _phrases: tuple[tuple[Term, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        folded = ((term, words.phrase(term.phrase)) for term in self.terms)
        object.__setattr__(self, "_phrases", tuple((t, p) for t, p in folded if p))

    def phrases(self) -> Iterable[tuple[Term, str]]:
        """Each term with its phrase in the form that `words.Reading.find` takes."""
        return self._phrases


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A category with a confidence between 0 and 1, or none with a confidence of 0."""

    category_id: int | None
    confidence: float
    reason: Reason


@dataclass(slots=True)
class _Evidence:
    score: float = 0.0
    strongest: float = 0.0
    length: int = 0
    reason: Reason = field(default_factory=Reason)


def classify(
    text: str, *, subject: str, language: str, sender: str, lexicon: Lexicon
) -> Suggestion:
    """Suggest the category of a message from its visible `text`, `subject` and `sender`'s address.

    A sender rule decides alone, an address before a domain, a longer domain before a shorter.
    Otherwise every keyword found counts once, in the subject or else in the body, and the category
    with the most weight wins; between equals the longer phrase does. Never raises on any text.
    """
    rule = max(
        (pattern for pattern in lexicon.senders if pattern.matches(sender)),
        key=lambda pattern: ("@" in pattern.pattern.strip()[1:], len(pattern.pattern)),
        default=None,
    )
    if rule is not None:
        return Suggestion(
            rule.category_id,
            1.0,
            Reason(code="sender", pattern=rule.pattern, **rule.label),
        )

    places = (
        ("subject", words.read(subject), SUBJECT_WEIGHT),
        ("body", words.read(text), BODY_WEIGHT),
    )
    evidence: dict[int, _Evidence] = {}
    for term, phrase in lexicon.phrases():
        for where, reading, worth in places:
            position = next(reading.find(phrase), None)
            if position is None:
                continue
            is_foreign = term.language not in ("", language)
            weight = term.weight * worth * (FOREIGN_WEIGHT if is_foreign else 1.0)
            found = evidence.setdefault(term.category_id, _Evidence())
            found.score += weight
            if (weight, len(phrase)) > (found.strongest, found.length):
                found.strongest, found.length = weight, len(phrase)
                found.reason = Reason(
                    code="keyword",
                    word=reading.quote(position, phrase),
                    where=where,
                    **term.label,
                )
            break
    evidence = {key: found for key, found in evidence.items() if found.score > 0}
    if not evidence:
        return Suggestion(None, 0.0, Reason(code="no_keyword"))

    # The smaller id last of all: the same message always gets the same answer.
    ranked = sorted(evidence.items(), key=lambda item: (-item[1].score, -item[1].length, item[0]))
    category_id, best = ranked[0]
    second = ranked[1][1].score if len(ranked) > 1 else 0.0
    confidence = best.score / (best.score + second + DOUBT)
    return Suggestion(category_id, round(confidence, 3), best.reason)
