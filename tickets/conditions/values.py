"""Reading the values of conditions: what is not exactly as it should be is refused in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

LONGEST_TEXT = 200
MOST_VALUES = 100
LARGEST_ID = 2**63 - 1
#: How long each unit of a span is; the names are those of `timedelta`.
UNITS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
LONGEST_SPAN = timedelta(days=3660)
_YEARS = range(1970, 2200)


class InvalidCondition(Exception):
    """A condition that nobody could mean; `problems` says why, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


def text(value: Any) -> str:
    """A text that PostgreSQL can hold, without space around it and not empty."""
    if not isinstance(value, str):
        raise InvalidCondition(_("Give a text."))
    given = value.strip()
    if not given:
        raise InvalidCondition(_("Say which text to look for."))
    if len(given) > LONGEST_TEXT:
        raise InvalidCondition(
            _("A text has at most %(number)d characters.") % {"number": LONGEST_TEXT}
        )
    if "\x00" in given or not _is_unicode(given):
        raise InvalidCondition(_("The text has characters that no ticket can have."))
    return given


def _is_unicode(given: str) -> bool:
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def several(value: Any, each: Callable[[Any], Any]) -> list[Any]:
    """One value or a list of them, each once, in the order given."""
    given = value if isinstance(value, list | tuple) else [value]
    if not given:
        raise InvalidCondition(_("Choose at least one value."))
    if len(given) > MOST_VALUES:
        raise InvalidCondition(_("Choose at most %(number)d values.") % {"number": MOST_VALUES})
    return list(dict.fromkeys(each(one) for one in given))


def words(value: Any) -> list[str]:
    """A list of texts, or one text with commas between them."""
    given = value.split(",") if isinstance(value, str) else value
    if isinstance(given, list | tuple) and len(given) > 1:
        given = [one for one in given if not isinstance(one, str) or one.strip()]
    return several(given, text)


def one_of(allowed: Collection[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise InvalidCondition(
                _("Choose one of: %(names)s.") % {"names": ", ".join(sorted(allowed))}
            )
        return value

    return read


def reference(*special: str) -> Callable[[Any], int | str]:
    """The id of a row, also as digits the way a form sends it, or one of the special words."""

    def read(value: Any) -> int | str:
        if isinstance(value, str) and value in special:
            return value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID:
            return value
        if special:
            raise InvalidCondition(
                _("Give an id, or one of: %(names)s.") % {"names": ", ".join(special)}
            )
        raise InvalidCondition(_("Give an id."))

    return read


def number(value: Any) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value) if any(sign in value for sign in ".eE") else int(value[:30])
        except ValueError:
            raise InvalidCondition(_("Give a number.")) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCondition(_("Give a number."))
    if not math.isfinite(value) or abs(value) > 10**15:
        raise InvalidCondition(_("Give a number of at most fifteen digits."))
    return value


def yes_or_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise InvalidCondition(_("Choose yes or no."))


def day(value: Any) -> str:
    """A date as "2026-11-22"."""
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidCondition(_("Give a date such as 2026-11-22.")) from None
    if found.year not in _YEARS:
        raise InvalidCondition(_("Give a date between 1970 and 2199."))
    return found.isoformat()


def moment(value: Any) -> str:
    """A date, which begins at midnight in the company's time zone, or a moment in ISO 8601."""
    if isinstance(value, str) and len(value) <= 10:
        return day(value)
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidCondition(
            _("Give a date such as 2026-11-22, or a moment such as 2026-11-22T09:30Z.")
        ) from None
    if found.year not in _YEARS:
        raise InvalidCondition(_("Give a date between 1970 and 2199."))
    return found.isoformat()


def as_moment(written: str) -> datetime:
    """What `moment` has read, as a moment."""
    found = datetime.fromisoformat(written)
    return found if found.tzinfo else timezone.make_aware(found)


def span(value: Any) -> dict[str, int]:
    """A length of time: {"days": 7}."""
    if not isinstance(value, Mapping) or len(value) != 1:
        raise InvalidCondition(_('Give a length of time such as {"days": 7}.'))
    [(unit, amount)] = value.items()
    if unit not in UNITS:
        raise InvalidCondition(_("Choose one of: %(names)s.") % {"names": ", ".join(UNITS)})
    if isinstance(amount, str) and amount.isascii() and amount.isdigit():
        amount = int(amount[:9])
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
        raise InvalidCondition(_("A length of time is a whole number, one at least."))
    if amount * UNITS[unit] > LONGEST_SPAN.total_seconds():
        raise InvalidCondition(_("A length of time is ten years at most."))
    return {unit: amount}


def as_span(written: Mapping[str, int]) -> timedelta:
    """What `span` has read, as a length of time."""
    return timedelta(**written)
