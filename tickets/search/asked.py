"""Reading what somebody typed into the search box."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tickets.search.operators import NAMES

#: As much as anybody types; the rest is left out.
LONGEST = 400
MOST_WORDS = 12
MOST_OPERATORS = 20

_PIECE = re.compile(
    r"""(?P<minus>-)?(?:
        (?P<name>[\w.]+):(?:["“”„](?P<quoted>[^"“”]*)["“”]|(?P<value>[^\s"“”„]\S*)?)
      | ["“”„](?P<phrase>[^"“”]*)(?:["“”]|$)
      | (?P<word>\S+)
    )""",
    re.VERBOSE,
)


class BadOperator(Exception):
    """A sentence for each operator whose value nobody could mean."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or several in exactly this order."""

    text: str
    is_phrase: bool = False
    is_not: bool = False
    #: The beginning of a word: “pay*”, or what is being typed.
    is_beginning: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    value: str
    is_not: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, in parts. An operator that does not exist is a word like others."""

    words: list[Word] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.words or self.operators)


def tidy(typed: str) -> str:
    """As much of it as is looked at, without signs that nobody types."""
    return "".join(one if one.isprintable() else " " for one in typed[:LONGEST])


def read(typed: str, *, own: frozenset[str] = frozenset(), unfinished: bool = False) -> Asked:
    """The parts of what was typed; `own` names the company's fields, which are operators too.

    `unfinished` takes the last word for the beginning of one, as while somebody types.
    """
    words: list[Word] = []
    operators: list[Operator] = []
    typed = tidy(typed)
    for piece in _PIECE.finditer(typed):
        is_not = bool(piece["minus"])
        name = (piece["name"] or "").lower()
        value = piece["quoted"] if piece["quoted"] is not None else piece["value"]
        if name and (name in NAMES or name in own):
            operators.append(Operator(name, (value or "").strip(), is_not))
        elif piece["phrase"] is not None:
            words.append(Word(piece["phrase"], is_phrase=True, is_not=is_not))
        else:
            text = piece["word"] or f"{piece['name']} {value or ''}".rstrip()
            begins = text.endswith("*") or (
                unfinished and piece.end() == len(typed) and not typed.endswith(" ")
            )
            words.append(
                Word(text, is_not=is_not, is_beginning=begins, is_phrase=" " in text.strip())
            )
    return Asked(
        [one for one in words if re.search(r"\w", one.text)][:MOST_WORDS],
        operators[:MOST_OPERATORS],
    )
