"""One subscription to Redis per process, shared by all its live streams.

Whoever has a stream is there: as long as it is open, the hub keeps the presence of its page alive.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import ClassVar
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from workspace import presence
from workspace.hints import AnyHint, Listener, channel, parse

log = structlog.get_logger(__name__)

#: A page that reads more slowly than this is told once to look at everything.
MOST_WAITING = 50
SLOWEST_RETRY_SECONDS = 15.0
#: How often it is looked for pages that nobody vouches for any more, and how often one vouches.
EXPIRE_SECONDS = 3.0
VOUCH_SECONDS = 12.0
LOOK_AT_EVERYTHING = json.dumps({"kind": "all"})


class Stream:
    """The hints for one open page, which has a name of its own where it says what it shows."""

    def __init__(self, listener: Listener, page: str = "") -> None:
        self.listener = listener
        self.presence_key = presence.key_of(listener.user_id, page) if page else ""
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)

    def put(self, message: str) -> None:
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            message = LOOK_AT_EVERYTHING
        self._waiting.put_nowait(message)

    async def next(self, *, seconds: float) -> str | None:
        """The next hint, or none when there was none for so long."""
        # Not `wait_for`: until Python 3.12 it forgets that it was cancelled when a hint arrives in
        # the same moment, and the stream of a page that was left goes on for minutes.
        try:
            async with asyncio.timeout(seconds):
                return await self._waiting.get()
        except TimeoutError:
            return None


class Hub:
    """Hands what Redis publishes to the streams that may have it."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._listening: asyncio.Task[None] | None = None
        self._vouching: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()
        self._redis: Redis | None = None

    @classmethod
    def here(cls) -> Hub:
        """The hub of this process (of this event loop, to be exact)."""
        loop = asyncio.get_running_loop()
        hub = cls._of_loop.get(loop)
        if hub is None:
            hub = cls._of_loop[loop] = cls()
        return hub

    @asynccontextmanager
    async def stream(self, listener: Listener, page: str = "") -> AsyncIterator[Stream]:
        """A stream that is fed as long as the context lasts. The last one to leave ends the
        subscription."""
        stream = Stream(listener, page)
        self._streams.add(stream)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
            self._vouching = asyncio.create_task(self._vouch())
        if stream.presence_key:
            await self._keep([stream.presence_key], seconds=presence.LASTS_SECONDS)
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            if stream.presence_key:
                await self._keep([stream.presence_key], seconds=presence.GRACE_SECONDS)
            if not self._streams:
                await self._rest()

    async def _rest(self) -> None:
        tasks = [task for task in (self._listening, self._vouching) if task]
        redis, self._redis = self._redis, None
        self._listening = self._vouching = None
        self._subscribed.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if redis:
            await redis.aclose()

    async def subscribed(self, *, seconds: float) -> bool:
        """Wait until hints arrive here; false when Redis cannot be reached for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._subscribed.wait()
        except TimeoutError:
            return False
        return True

    async def _listen(self) -> None:
        wait = 0.5
        was_lost = False
        while True:
            try:
                async with (
                    Redis.from_url(
                        settings.REDIS_URL, socket_connect_timeout=2, health_check_interval=30
                    ) as redis,
                    redis.pubsub(ignore_subscribe_messages=False) as pubsub,
                ):
                    await pubsub.subscribe(channel())
                    async for message in pubsub.listen():
                        if message["type"] == "subscribe":
                            self._subscribed.set()
                            wait = 0.5
                            if was_lost:
                                self._tell_all()
                            was_lost = False
                        elif message["type"] == "message":
                            self._hand_out(parse(message["data"]))
            except (RedisError, OSError, ValueError, KeyError) as error:
                log.warning("live_hints_lost", error=str(error))
            was_lost = True
            self._subscribed.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, SLOWEST_RETRY_SECONDS)

    async def _vouch(self) -> None:
        """Keep alive who is here, and say who is gone without having said so themselves."""
        vouched_at = 0.0
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            if time.monotonic() - vouched_at > VOUCH_SECONDS:
                vouched_at = time.monotonic()
                keys = [stream.presence_key for stream in self._streams if stream.presence_key]
                await self._keep(keys, seconds=presence.LASTS_SECONDS)
            try:
                for gone in await presence.expired(self._connected()):
                    await self._connected().publish(channel(), str(gone.hint(is_gone=True)))
            except (RedisError, OSError) as error:
                log.info("presence_without_redis", error=str(error))

    async def _keep(self, keys: Collection[str], *, seconds: float) -> None:
        """These pages, as far as they show a ticket, are remembered for so long from now on."""
        if not keys:
            return
        until = time.time() + seconds
        with suppress(RedisError, OSError):
            marks = dict.fromkeys(keys, until)
            await self._connected().zadd(presence.until_key(), marks, xx=True)

    def _connected(self) -> Redis:
        """Few connections for all the pages, however many come at once."""
        if self._redis is None:
            pool = BlockingConnectionPool.from_url(
                settings.REDIS_URL,
                max_connections=4,
                timeout=2,
                socket_connect_timeout=2,
                socket_timeout=2,
            )
            self._redis = Redis(connection_pool=pool)
        return self._redis

    def _hand_out(self, hint: AnyHint) -> None:
        for stream in self._streams:
            if message := stream.listener.told(hint):
                stream.put(message)

    def _tell_all(self) -> None:
        for stream in self._streams:
            stream.put(LOOK_AT_EVERYTHING)
