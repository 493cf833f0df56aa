"""One subscription to Redis per process, shared by all its live streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from workspace.hints import Hint, Listener, channel

log = structlog.get_logger(__name__)

#: A page that reads more slowly than this is told once to look at everything.
MOST_WAITING = 50
SLOWEST_RETRY_SECONDS = 15.0
LOOK_AT_EVERYTHING = json.dumps({"kind": "all"})


class Stream:
    """The hints for one open page."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)

    def put(self, message: str) -> None:
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            message = LOOK_AT_EVERYTHING
        self._waiting.put_nowait(message)

    async def next(self, *, seconds: float) -> str | None:
        """The next hint, or none when there was none for so long."""
        try:
            return await asyncio.wait_for(self._waiting.get(), seconds)
        except TimeoutError:
            return None


class Hub:
    """Hands what Redis publishes to the streams that may have it."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._listening: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    @classmethod
    def here(cls) -> Hub:
        """The hub of this process (of this event loop, to be exact)."""
        loop = asyncio.get_running_loop()
        hub = cls._of_loop.get(loop)
        if hub is None:
            hub = cls._of_loop[loop] = cls()
        return hub

    @asynccontextmanager
    async def stream(self, listener: Listener) -> AsyncIterator[Stream]:
        """A stream that is fed as long as the context lasts. The last one to leave ends the
        subscription."""
        stream = Stream(listener)
        self._streams.add(stream)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            if not self._streams and self._listening is not None:
                listening, self._listening = self._listening, None
                self._subscribed.clear()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def subscribed(self, *, seconds: float) -> bool:
        """Wait until hints arrive here; false when Redis cannot be reached for so long."""
        try:
            await asyncio.wait_for(self._subscribed.wait(), seconds)
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
                            self._hand_out(message["data"])
            except (RedisError, OSError, ValueError, KeyError) as error:
                log.warning("live_hints_lost", error=str(error))
            was_lost = True
            self._subscribed.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, SLOWEST_RETRY_SECONDS)

    def _hand_out(self, data: bytes) -> None:
        hint = Hint.parse(data)
        for stream in self._streams:
            if message := stream.listener.told(hint):
                stream.put(message)

    def _tell_all(self) -> None:
        for stream in self._streams:
            stream.put(LOOK_AT_EVERYTHING)
