"""Reasons of automatic decisions as sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

Stored = Mapping[str, Any]


def sentence(reason: Stored | str) -> str:
    """One stored reason as a sentence without a full stop, never raising.

    A code that this version does not know gives what the reason itself says, or a plain
    "Decided automatically".
    """
    if isinstance(reason, str):
        return reason
    say = _SENTENCES.get(str(reason.get("code", "")))
    if say is not None:
        try:
            return say(reason)
        except KeyError:  # written by a version that stored less
            pass
    word = reason.get("word")
    return str(word) if word else _("Decided automatically")


def sentences(reasons: Iterable[object] | Stored | str | None) -> list[str]:
    """What an event stores under "reason", whatever its shape, as sentences."""
    if not reasons:
        return []
    if isinstance(reasons, str | Mapping):
        reasons = [reasons]
    return [sentence(reason) for reason in reasons if isinstance(reason, str | Mapping)]


def _category(reason: Stored) -> str:
    translated = reason.get("categories") or {}
    language = (get_language() or "").split("-")[0]
    return str(translated.get(language) or reason["category"])


def _keyword(reason: Stored) -> str:
    said = {"category": _category(reason), "word": reason["word"]}
    if reason.get("where") == "subject":
        return _("%(category)s: “%(word)s” in the subject") % said
    return _("%(category)s: “%(word)s” in the message") % said


def _tier(reason: Stored) -> str:
    names = {
        "standard": pgettext("customer tier", "Standard"),
        "plus": pgettext("customer tier", "Plus"),
        "vip": pgettext("customer tier", "VIP"),
    }
    return _("%(tier)s customer") % {"tier": names.get(reason["tier"], reason["tier"])}


def _category_priority(reason: Stored) -> str:
    return {
        "low": _("This category starts at low priority"),
        "normal": _("This category starts at normal priority"),
        "high": _("This category starts at high priority"),
        "urgent": _("This category starts at urgent priority"),
    }[reason["priority"]]


def _exclamation_marks(reason: Stored) -> str:
    count = int(reason["count"])
    return ngettext("%(count)d exclamation mark", "%(count)d exclamation marks", count) % {
        "count": count
    }


def _least_loaded(reason: Stored) -> str:
    count = int(reason["open"])
    return ngettext(
        "%(agent)s has the fewest open tickets: %(count)d",
        "%(agent)s has the fewest open tickets: %(count)d",
        count,
    ) % {"agent": reason["agent"], "count": count}


_SENTENCES: Final[dict[str, Callable[[Stored], str]]] = {
    # What it is about
    "keyword": _keyword,
    "sender": lambda r: (
        _("%(category)s: mail from %(pattern)s")
        % {"category": _category(r), "pattern": r["pattern"]}
    ),
    "chosen_by_customer": lambda r: _("Chosen by the customer"),
    "no_keyword": lambda r: _("No known word in the message"),
    # How soon
    "category_priority": _category_priority,
    "danger_word": lambda r: _("Possible danger: “%(word)s”") % r,
    "urgency_word": lambda r: _("Urgent: “%(word)s”") % r,
    "not_urgent": lambda r: _("No hurry: “%(word)s”") % r,
    "tier": _tier,
    "anger_word": lambda r: _("Angry: “%(word)s”") % r,
    "capitals": lambda r: _("Written in capitals"),
    "exclamation_marks": _exclamation_marks,
    # Whose it is
    "written_to": lambda r: _("Written to %(address)s") % r,
    "category_team": lambda r: _("Handles %(category)s") % {"category": _category(r)},
    "fallback_team": lambda r: _("No team handles this category"),
    "no_team": lambda r: _("There is no team yet"),
    "manual": lambda r: _("The team assigns by hand"),
    "round_robin": lambda r: _("%(agent)s is next in turn") % r,
    "least_loaded": _least_loaded,
    "nobody_available": lambda r: _("Nobody on the team is free"),
    # What the customer or an answer brings about by itself
    "customers_merged": lambda r: _("Two records were one person"),
    "customers_unmerged": lambda r: _("They were two people after all"),
    "customer_replied": lambda r: _("The customer replied"),
    "answered": lambda r: _("Whoever answers first takes it"),
    "merged_open": lambda r: _("#%(number)s was still open") % r,
    # Why something that was to be sent came back
    "not_sent_is_closed": lambda r: _("The ticket is closed"),
    "not_sent_is_merged": lambda r: _("The ticket was merged"),
    "not_sent_author_has_left": lambda r: _("They no longer work here"),
    "not_sent_author_may_not_see": lambda r: _("They may not see the ticket any more"),
    "not_sent_answers_elsewhere": lambda r: _("The conversation goes on in another ticket"),
    "not_sent_forwarded_is_gone": lambda r: _("What it passes on is in another ticket now"),
    "not_sent_fields_are_missing": lambda r: _("Something has to be filled in before the solve"),
}

CODES: Final = frozenset(_SENTENCES)
