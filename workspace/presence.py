"""Who has which ticket open, and who is writing in it.

All of it stands in Redis and runs out by itself, so that nobody stays where they are not: a page
says what it does when that changes, its live stream keeps the word alive, and whoever closes the
page takes it back. Without Redis nobody is anywhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Self, cast

from django.db import connection, models
from django.utils.translation import gettext_lazy as _
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from people.models import User
from tickets.models import Ticket
from workspace.hints import PresenceHint, publish, with_redis

#: A page that nobody vouches for any more is forgotten.
LASTS_SECONDS = 45.0
#: What a page is forgotten after when its stream has ended: long enough to come again.
GRACE_SECONDS = 8.0


class Doing(models.TextChoices):
    LOOKING = "looking", _("is looking")
    REPLYING = "reply", _("is writing a reply")
    NOTING = "note", _("is writing a note")


@dataclass(frozen=True, slots=True)
class Presence:
    """One open page of a ticket. Team and assignee, of whom it depends who may hear of it, are
    those of the ticket when the page said so."""

    user_id: int
    page: str
    name: str
    number: int
    doing: str
    team: int | None
    assignee: int | None

    @property
    def key(self) -> str:
        return key_of(self.user_id, self.page)

    @classmethod
    def read(cls, key: bytes, value: bytes) -> Self:
        user, _dash, page = key.decode().partition("-")
        data = json.loads(value)
        return cls(
            int(user), page, data["w"], int(data["n"]), data["d"], data.get("t"), data.get("a")
        )

    def __str__(self) -> str:
        return json.dumps(
            {
                "w": self.name,
                "n": self.number,
                "d": self.doing,
                "t": self.team,
                "a": self.assignee,
            }
        )

    def hint(self, *, is_gone: bool = False) -> PresenceHint:
        return PresenceHint(
            self.number,
            self.user_id,
            self.name,
            self.page,
            "" if is_gone else self.doing,
            self.team,
            self.assignee,
        )


def key_of(user_id: int, page: str) -> str:
    """A page is its user's: nobody speaks for a page of somebody else."""
    return f"{user_id}-{page}"


def pages_key() -> str:
    return f"desk:presence:{connection.settings_dict['NAME']}:pages"


def until_key() -> str:
    return f"desk:presence:{connection.settings_dict['NAME']}:until"


def announce(user: User, ticket: Ticket, *, page: str, doing: Doing) -> None:
    """Say what the user does at the ticket on this page, and tell whoever may see the ticket."""
    now = Presence(
        user.pk, page, user.name, ticket.number, doing.value, ticket.team_id, ticket.assignee_id
    )
    # Where Redis is gone, nobody need hear anything.
    same: Presence | None = now
    before = with_redis(lambda redis: _put(redis, now), same)
    if before == now:
        return
    if before is not None and before.number != now.number:
        publish(before.hint(is_gone=True))
    publish(now.hint())


def leave(user: User, *, page: str) -> None:
    """The page is closed, or shows no ticket any more."""
    gone = with_redis(lambda redis: _take(redis, key_of(user.pk, page)), None)
    if gone:
        publish(gone.hint(is_gone=True))


def others(user: User) -> list[Presence]:
    """Every open page of a colleague's that shows a ticket which `user` may see: one query."""
    found = [one for one in _everybody() if one.user_id != user.pk]
    if not found:
        return []
    numbers = {one.number for one in found}
    visible = set(
        Ticket.objects.visible_to(user).filter(number__in=numbers).values_list("number", flat=True)
    )
    return [one for one in found if one.number in visible]


def open_by_others(user: User) -> set[int]:
    """The numbers of the tickets that colleagues have open; none when Redis is gone. Without a
    query: they may be numbers of tickets that `user` does not see."""
    return {one.number for one in _everybody() if one.user_id != user.pk}


def _everybody() -> list[Presence]:
    nobody: list[Presence] = []
    return with_redis(_alive, nobody)


def _put(redis: Redis, now: Presence) -> Presence | None:
    with redis.pipeline() as pipe:
        pipe.hget(pages_key(), now.key)
        pipe.zscore(until_key(), now.key)
        pipe.hset(pages_key(), now.key, str(now))
        pipe.zadd(until_key(), {now.key: time.time() + LASTS_SECONDS})
        before, until, *_rest = pipe.execute()
    if before is None or until is None or until < time.time():
        return None
    return Presence.read(now.key.encode(), before)


def _take(redis: Redis, key: str) -> Presence | None:
    with redis.pipeline() as pipe:
        pipe.hget(pages_key(), key)
        pipe.hdel(pages_key(), key)
        pipe.zrem(until_key(), key)
        before, *_rest = pipe.execute()
    return Presence.read(key.encode(), before) if before is not None else None


def _alive(redis: Redis) -> list[Presence]:
    with redis.pipeline() as pipe:
        pipe.zrangebyscore(until_key(), time.time(), "+inf")
        pipe.hgetall(pages_key())
        keys, values = cast(tuple[list[bytes], dict[bytes, bytes]], tuple(pipe.execute()))
    return [Presence.read(key, values[key]) for key in keys if key in values]


async def expired(redis: AsyncRedis) -> list[Presence]:
    """Take out, at one blow, what has run out: each is found by one process only."""
    answer = await cast(
        Awaitable[list[bytes]],
        redis.eval(_EXPIRE, 2, pages_key(), until_key(), str(time.time())),
    )
    return [Presence.read(key, value) for key, value in zip(answer[::2], answer[1::2], strict=True)]


_EXPIRE = """
local gone = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 200)) do
  local value = redis.call('HGET', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  redis.call('HDEL', KEYS[1], key)
  if value then
    table.insert(gone, key)
    table.insert(gone, value)
  end
end
return gone
"""
