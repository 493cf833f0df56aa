"""Named variables in what a company writes itself: macros, canned replies, the texts of mails.

A variable is a name between two braces, and every text says which names it knows. Whatever else
stands between braces stays there as it is: nothing is looked up, so nothing can be read out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMED = re.compile(r"\{\{\s*([a-z_.]{1,40})\s*\}\}")
_BRACED = re.compile(r"\{\{([^{}]{0,200})\}\}")


def filled_in(text: str, value: Callable[[re.Match[str]], str | None]) -> str:
    """The text with its variables filled in, in one pass: braces in a value are text. `value` gets
    each match, whose first group is the name, and gives `None` for a name that it does not know."""

    def fill(match: re.Match[str]) -> str:
        found = value(match)
        return match[0] if found is None else found

    return _NAMED.sub(fill, text)


def named_in(text: str) -> list[str]:
    """Whatever stands between two braces, as it would be looked up, each once."""
    return list(dict.fromkeys(one.strip() for one in _BRACED.findall(text)))
