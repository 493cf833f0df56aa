"""Where a text has the words that were found, so that they can be marked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

#: How much of a text is shown around the first hit.
BEFORE, LENGTH = 30, 200
_SHORTEST_STEM = 3


def bare(text: str) -> str:
    """The text without accents and in small letters, as long as it was, as PostgreSQL folds it."""
    if text.isascii():
        return text.lower()
    return "".join(map(_bare_letter, text))


@lru_cache(maxsize=4096)
def _bare_letter(letter: str) -> str:
    first = unicodedata.normalize("NFD", letter)[0].lower()
    return _OTHERS.get(first, first if len(first) == 1 else letter)


_OTHERS = {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t"}


class Marked:
    """What marks the found words in texts: any word that begins like one of them."""

    def __init__(self, words: Iterable[str], phrases: Iterable[str] = ()) -> None:
        beginnings = sorted({one for one in words if len(one) >= _SHORTEST_STEM}, key=len)
        shortest = [
            one
            for place, one in enumerate(beginnings)
            if not any(one.startswith(other) for other in beginnings[:place])
        ]
        exact = {one for one in words if len(one) < _SHORTEST_STEM}
        parts = [
            *(r"[\W_]+".join(map(re.escape, one.split())) + r"(?!\w)" for one in phrases),
            # Endings are short: “order” marks “ordered” and not “ordinariness”.
            *(rf"{re.escape(one)}\w{{0,6}}(?!\w)" for one in shortest),
            *(rf"{re.escape(one)}(?!\w)" for one in exact),
        ]
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})") if parts else None
        self._starts = tuple(shortest) or tuple(exact)

    def __bool__(self) -> bool:
        return self._pattern is not None

    def places(self, text: str) -> list[tuple[int, int]]:
        """From where to where the text has them."""
        if self._pattern is None:
            return []
        folded = bare(text)
        if not any(start in folded for start in self._starts):
            return []
        return [found.span() for found in self._pattern.finditer(folded)]

    def fragment(self, texts: Iterable[str]) -> tuple[str, list[tuple[int, int]]] | None:
        """The part with most of the words, of the first text that has any."""
        for text in texts:
            if places := self.places(text):
                return _around(text, places)
        return None


def _around(text: str, places: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    def hits(place: tuple[int, int]) -> int:
        return sum(place[0] <= other[0] and other[1] <= place[0] + LENGTH for other in places)

    best = max(places[:20], key=hits)
    start = max(0, best[0] - BEFORE)
    if start:
        # At a word's beginning, where there is one near.
        space = text.find(" ", start, best[0])
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + LENGTH)
    opening, closing = "… " if start else "", " …" if end < len(text) else ""
    shown = re.sub(r"\s", " ", text[start:end])
    shift = len(opening) - start
    inside = [(a + shift, b + shift) for a, b in places if a >= start and b <= end]
    return f"{opening}{shown}{closing}", inside
