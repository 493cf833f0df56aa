"""Hints that something changed, from whoever changed it to every open page.

A hint says that a ticket changed and nothing about how; pages fetch what is new themselves, through
the gate. Hints are not kept: whoever misses one is told to look at everything.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Self

import structlog
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from people.models import User

log = structlog.get_logger(__name__)

#: A change never waits longer for Redis, and after a failure does not ask it again for a while.
TIMEOUT_SECONDS = 0.25
PAUSE_SECONDS = 5.0


def channel() -> str:
    """Where hints are published: two helpdesks that share a Redis do not hear each other."""
    return f"desk:hints:{connection.settings_dict['NAME']}"


@dataclass(frozen=True, slots=True)
class Hint:
    """That the ticket with this number changed, and who held it before and after."""

    number: int
    teams: frozenset[int | None]
    assignees: frozenset[int]
    teams_before: frozenset[int | None] = frozenset()
    assignees_before: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return json.dumps(
            {
                "n": self.number,
                "t": list(self.teams),
                "a": list(self.assignees),
                "tb": list(self.teams_before),
                "ab": list(self.assignees_before),
            }
        )

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        data = json.loads(text)
        return cls(
            int(data["n"]),
            frozenset(data["t"]),
            frozenset(data["a"]),
            frozenset(data["tb"]),
            frozenset(data["ab"]),
        )


@dataclass(frozen=True, slots=True)
class Listener:
    """What decides which hints a page may get; the same rule as `Ticket.objects.visible_to`."""

    user_id: int
    is_manager: bool
    teams: frozenset[int]

    @classmethod
    def of(cls, user: User) -> Self:
        teams = frozenset(user.teams.values_list("pk", flat=True))
        return cls(user.pk, user.is_manager, teams)

    def told(self, hint: Hint) -> str:
        """The message that this listener gets: of a ticket that they see, its number; of one that
        they saw until now, only that their lists changed; of others, nothing."""
        if self._sees(hint.teams, hint.assignees):
            return json.dumps({"kind": "ticket", "id": hint.number})
        if self._sees(hint.teams_before, hint.assignees_before):
            return json.dumps({"kind": "lists"})
        return ""

    def _sees(self, teams: frozenset[int | None], assignees: frozenset[int]) -> bool:
        if self.is_manager:
            return bool(teams)
        return bool(teams & self.teams) or None in teams or self.user_id in assignees


_silent_until = 0.0


def publish(hint: Hint) -> None:
    """Tell every process at once; without Redis nobody is told, and nothing fails."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        _redis().publish(channel(), str(hint))
    except (RedisError, OSError) as error:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        log.warning("hint_not_published", error=str(error))


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
