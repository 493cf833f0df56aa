"""What a colleague has chosen for themselves: what they hear of and how, and how lists look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, Self, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from people.models import User
from workspace.models import NotificationKind

Choice = TypeVar("Choice", bound=models.TextChoices)


class Way(models.TextChoices):
    """How somebody hears of something."""

    APP = "app", _("Under the bell")
    DESKTOP = "desktop", _("On the screen")
    MAIL = "mail", _("In the mail")


class Digest(models.TextChoices):
    OFF = "off", pgettext_lazy("mail", "Never")
    AT_ONCE = "at_once", _("At once, a mail for each")
    HOURLY = "hourly", _("Every hour, when there is something")
    DAILY = "daily", _("Once a day")


class Density(models.TextChoices):
    COMFORTABLE = "comfortable", _("Comfortable")
    DENSE = "dense", _("Dense")


_TELLS_ALOUD: Final = frozenset(Way)
_DEFAULT_WAYS: Final = {
    NotificationKind.MENTIONED: _TELLS_ALOUD,
    NotificationKind.ASSIGNED: _TELLS_ALOUD,
    NotificationKind.CUSTOMER_REPLIED: _TELLS_ALOUD,
    NotificationKind.FOLLOWED: frozenset({Way.APP}),
    NotificationKind.WOKEN: _TELLS_ALOUD,
    NotificationKind.NOT_SENT: _TELLS_ALOUD,
}
_DIGEST_AT: Final = time(8, 0)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What stands in `User.preferences`, with a default for whatever does not."""

    ways: Mapping[NotificationKind, frozenset[Way]]
    digest: Digest
    #: In the company's time zone.
    digest_at: time
    density: Density
    has_single_keys: bool

    @classmethod
    def of(cls, user: User) -> Self:
        given: dict[str, Any] = user.preferences
        told = given.get("notify", {})
        return cls(
            ways={
                kind: _ways(told[kind]) if kind in told else _DEFAULT_WAYS[kind]
                for kind in NotificationKind
            },
            digest=_one_of(Digest, given.get("digest"), Digest.OFF),
            digest_at=_clock(given.get("digest_at")),
            density=_one_of(Density, given.get("density"), Density.COMFORTABLE),
            has_single_keys=given.get("single_keys") is not False,
        )

    def kinds(self, way: Way) -> list[NotificationKind]:
        """What is told by this way."""
        return [kind for kind, ways in self.ways.items() if way in ways]

    def is_gathered(self, kind: NotificationKind) -> bool:
        """Whether it waits for the mail that gathers what was not read."""
        is_gathering = self.digest in (Digest.HOURLY, Digest.DAILY)
        return is_gathering and Way.MAIL in self.ways[kind]

    def is_mailed_at_once(self, kind: NotificationKind) -> bool:
        return self.digest == Digest.AT_ONCE and Way.MAIL in self.ways[kind]


def _ways(given: Any) -> frozenset[Way]:
    names = given if isinstance(given, list) else []
    return frozenset(Way(name) for name in names if name in Way.values)


def _clock(given: Any) -> time:
    match = _CLOCK.fullmatch(str(given))
    return time(int(match[1]), int(match[2])) if match else _DIGEST_AT


def _one_of(choices: type[Choice], given: Any, otherwise: Choice) -> Choice:
    return choices(given) if given in choices.values else otherwise
