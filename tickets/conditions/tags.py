"""The tags that a condition names, when the company calls one otherwise or removes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def names_tag(data: Any, name: str) -> bool:
    """Whether a condition, as JSON, asks for the tag."""
    if isinstance(data, Mapping):
        if data.get("field") == "tags":
            return name in _words(data.get("value"))
        return any(names_tag(part, name) for part in data.values())
    return isinstance(data, list) and any(names_tag(part, name) for part in data)


def with_tag(data: Any, name: str, word: str | None) -> Any:
    """The condition with another word for the tag; without it (`None`) where it asks for others
    too and means the same without.

    What asks for the removed tag alone, or for it beside others at once, stays as it is: it held
    for the tickets that had it, and holds for none any more. It never finds more than before.
    """
    if isinstance(data, list):
        return [with_tag(part, name, word) for part in data]
    if not isinstance(data, Mapping):
        return data
    if data.get("field") != "tags":
        return {key: with_tag(part, name, word) for key, part in data.items()}
    words = _words(data.get("value"))
    if name not in words:
        return dict(data)
    if word is not None:
        return {**data, "value": list(dict.fromkeys(word if one == name else one for one in words))}
    left = [one for one in words if one != name]
    return {**data, "value": left} if left and data.get("operator") != "has_all" else dict(data)


def _words(value: Any) -> list[str]:
    given: Iterable[Any] = value if isinstance(value, list) else []
    return [str(one).lower() for one in given]
