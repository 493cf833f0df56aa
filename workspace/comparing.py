"""Two people changed one ticket at once: what the other did, beside what one wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.http import QueryDict
from django.utils.translation import gettext as _

from tickets.models import Mark, StatusCategory, WriteMode
from workspace.facts import Facts
from workspace.timeline import MessageItem


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody did meanwhile, and where it stands in the timeline."""

    who: str
    text: str
    at: datetime
    anchor: str


@dataclass(slots=True)
class Comparison:
    meanwhile: list[Line]
    #: What one wanted, in words.
    wanted: str
    #: What is true of it now, where that can be said.
    now: str = ""
    #: A text waits in the composer: the status category that it sets when it is sent.
    is_text: bool = False
    is_note: bool = False
    then: str = ""
    #: The same change once more, as the fields of its form.
    again: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: QueryDict, items: Iterable[Any], *, facts: Facts, version: int) -> Self:
        meanwhile = [_line(item) for item in items]
        if {"text", "html"} & given.keys():
            is_note = given.get("mode", given.get("kind", "")) == WriteMode.NOTE
            then = given.get("then", "")
            wanted = _text(given, then, is_note=is_note)
            return cls(meanwhile, wanted, is_text=True, is_note=is_note, then=then)
        name, value = given.get("property", ""), given.get("value", "")[:200]
        wanted, now = _property(name, value, facts)
        again = {"property": name, "value": value, "seen": version} if wanted else {}
        return cls(meanwhile, wanted, now, again=again)

    @property
    def first(self) -> str:
        """Where what is new begins."""
        return self.meanwhile[0].anchor if self.meanwhile else ""

    @property
    def again_as_json(self) -> str:
        return json.dumps(self.again)


def _line(item: Any) -> Line:
    if isinstance(item, MessageItem):
        text = {
            "customer": _("wrote a message"),
            "agent": _("replied"),
            "note": _("added a note"),
        }[item.source]
        return Line(item.name, text, item.at, f"m{item.pk}")
    return Line(item.actor, item.text, item.at, f"e{item.pk}")


def _text(given: QueryDict, then: str, *, is_note: bool) -> str:
    if is_note:
        return _("to add your note")
    if given.get("mode") == WriteMode.FORWARD:
        return _("to forward a message")
    return {
        StatusCategory.PENDING.value: _("to send your reply and wait for the customer"),
        StatusCategory.ON_HOLD.value: _("to send your reply and put it on hold"),
        StatusCategory.SOLVED.value: _("to send your reply and solve it"),
    }.get(then, _("to send your reply"))


def _property(name: str, value: str, facts: Facts) -> tuple[str, str]:
    """What was wanted of a property, and what it is now."""
    if name == "tags":
        return _("the tags %(tags)s") % {"tags": value or "–"}, ""
    if name == "mark":
        return (str(Mark(value).label) if value in Mark.values else _("no mark")), ""
    for fact in facts:
        if fact.property == name:
            chosen = next((one.name for one in fact.options if one.value == value), "")
            what = _("%(property)s: %(value)s")
            wanted = what % {"property": fact.name, "value": chosen} if chosen else ""
            return wanted, what % {"property": fact.name, "value": fact.value}
    return "", ""
