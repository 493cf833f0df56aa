"""Hints that something changed, from whoever changed it to every open page.

A hint says that a ticket changed and nothing about how; pages fetch what is new themselves, through
the gate. Hints are not kept: whoever misses one is told to look at everything. Only who is looking
at a ticket is told whole, because nobody could fetch it fast enough.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Self, TypeVar

import structlog
from django.conf import settings
from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from people.models import User
from tickets.gate import is_open_to

log = structlog.get_logger(__name__)

T = TypeVar("T")

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
        return cls.read(json.loads(text))

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        return cls(
            int(data["n"]),
            frozenset(data["t"]),
            frozenset(data["a"]),
            frozenset(data["tb"]),
            frozenset(data["ab"]),
        )


@dataclass(frozen=True, slots=True)
class OwnHint:
    """That something of these colleagues' own changed: `kind` says what."""

    users: frozenset[int]
    kind: str

    def __str__(self) -> str:
        return json.dumps({"u": list(self.users), "k": self.kind})

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        return cls(frozenset(data["u"]), str(data["k"]))


@dataclass(frozen=True, slots=True)
class PresenceHint:
    """What a colleague does at a ticket from now on, on one page of theirs; nothing: they left."""

    number: int
    user_id: int
    name: str
    page: str
    doing: str
    team: int | None
    assignee: int | None

    def __str__(self) -> str:
        return json.dumps(
            {
                "p": self.page,
                "n": self.number,
                "u": self.user_id,
                "w": self.name,
                "d": self.doing,
                "t": self.team,
                "a": self.assignee,
            }
        )

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        return cls(
            int(data["n"]),
            int(data["u"]),
            str(data["w"]),
            str(data["p"]),
            str(data["d"]),
            data["t"],
            data["a"],
        )


AnyHint = Hint | OwnHint | PresenceHint


def parse(text: str | bytes) -> AnyHint:
    """The hint that `str` wrote. Raises `ValueError` or `KeyError` for anything else."""
    data = json.loads(text)
    if "p" in data:
        return PresenceHint.read(data)
    return OwnHint.read(data) if "k" in data else Hint.read(data)


@dataclass(frozen=True, slots=True)
class Listener:
    """What decides which hints a page may get, see `tickets.gate`."""

    user_id: int
    is_manager: bool
    teams: frozenset[int]

    @classmethod
    def of(cls, user: User) -> Self:
        teams = frozenset(user.teams.values_list("pk", flat=True))
        return cls(user.pk, user.is_manager, teams)

    def told(self, hint: AnyHint) -> str:
        """The message that this listener gets: of a ticket that they see, its number; of one that
        they saw until now, only that their lists changed; of others, nothing."""
        if isinstance(hint, OwnHint):
            return _said(hint.kind, None) if self.user_id in hint.users else ""
        if isinstance(hint, PresenceHint):
            is_theirs = hint.user_id == self.user_id
            return "" if is_theirs or not self.sees(hint.team, hint.assignee) else _shown(hint)
        if self._sees(hint.teams, hint.assignees):
            return _said("ticket", hint.number)
        if self._sees(hint.teams_before, hint.assignees_before):
            return _said("lists", None)
        return ""

    def sees(self, team: int | None, assignee: int | None) -> bool:
        """Whether a ticket of this team and assignee is theirs to see."""
        holders: frozenset[int] = frozenset() if assignee is None else frozenset([assignee])
        return self._sees(frozenset([team]), holders)

    def _sees(self, teams: frozenset[int | None], assignees: frozenset[int]) -> bool:
        mine = self.user_id if self.user_id in assignees else None
        return any(
            is_open_to(
                self.user_id, sees_all=self.is_manager, teams=self.teams, team=team, assignee=mine
            )
            for team in teams
        )


# A thousand listeners are told the same: written once.
@lru_cache(maxsize=64)
def _said(kind: str, number: int | None) -> str:
    return json.dumps({"kind": kind} if number is None else {"kind": kind, "id": number})


@lru_cache(maxsize=64)
def _shown(hint: PresenceHint) -> str:
    return json.dumps(
        {
            "kind": "presence",
            "id": hint.number,
            "page": hint.page,
            "user": hint.user_id,
            "name": hint.name,
            "doing": hint.doing,
        }
    )


_silent_until = 0.0


def publish(hint: AnyHint) -> None:
    """Tell every process at once; without Redis nobody is told, and nothing fails."""
    with_redis(lambda redis: redis.publish(channel(), str(hint)), None)


def with_redis(do: Callable[[Redis], T], otherwise: T) -> T:
    """What Redis answers, or `otherwise` when it cannot be reached in a moment."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return otherwise
    try:
        return do(_redis())
    except (RedisError, OSError) as error:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        log.warning("hints_without_redis", error=str(error))
        return otherwise


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
