"""The services that a command needs: started when not up, stopped when nobody uses them any more.

Each user holds a shared lock for as long as it lives. Whoever leaves tries to take that lock
alone: it succeeds for the last one only, who stops what runs. A user killed with -9 loses its lock
with its life, and the next one takes over what it left running.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from launcher.locks import held, opened, share, try_alone
from launcher.mail import MailCatcher
from launcher.paths import VAR
from launcher.postgres import DURABLE, FORGETFUL, Postgres
from launcher.redis import Redis


class Service(Protocol):
    """A server that outlives the process that started it."""

    @property
    def name(self) -> str: ...
    @property
    def variable(self) -> str:
        """The environment variable that tells where it is, and that replaces it when set."""

    @property
    def url(self) -> str: ...
    @property
    def log(self) -> Path: ...
    def is_running(self) -> bool: ...
    def is_up(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Services:
    """A set of services under one folder; entered, it has them all running."""

    def __init__(self, members: Sequence[Service], home: Path) -> None:
        self.members = members
        self._mutex = home / "run" / "services.lock"
        self._users = {
            member.variable: opened(home / "run" / f"users-{member.variable.lower()}.lock")
            for member in members
        }

    @property
    def environment(self) -> dict[str, str]:
        """Where the services are, as the settings read it."""
        return {member.variable: member.url for member in self.members}

    def __enter__(self) -> Self:
        if self.members:
            with held(self._mutex):
                try:
                    for member in self.members:
                        share(self._users[member.variable])
                        if not member.is_up():
                            member.start()
                except BaseException:
                    self._leave()
                    raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.members:
            with held(self._mutex):
                self._leave()

    def _leave(self) -> None:
        for member in reversed(self.members):  # PostgreSQL last
            users = self._users[member.variable]
            if try_alone(users):
                member.stop()
            users.close()


def for_running() -> Services:
    """What `bin/run` and `bin/manage` share: each service whose address the environment lacks."""
    log = VAR / "log"
    return _missing(
        [
            Postgres(VAR / "postgres", log / "postgres.log", DURABLE),
            Redis(VAR / "redis", log / "redis.log"),
            MailCatcher(VAR / "mail-catcher", VAR / "mail", log / "mail.log"),
        ],
        VAR,
    )


def for_testing() -> Services:
    """PostgreSQL and Redis for tests, apart from those of `bin/run`; quick rather than durable."""
    home = VAR / "test"
    return _missing(
        [
            Postgres(home / "postgres", home / "log" / "postgres.log", FORGETFUL),
            Redis(home / "redis", home / "log" / "redis.log"),
        ],
        home,
    )


def for_measuring() -> Services:
    """PostgreSQL and Redis for the measurements, apart from all others."""
    home = VAR / "bench"
    return _missing(
        [
            Postgres(home / "postgres", home / "log" / "postgres.log", DURABLE),
            Redis(home / "redis", home / "log" / "redis.log"),
        ],
        home,
    )


def _missing(services: Sequence[Service], home: Path) -> Services:
    return Services([one for one in services if not os.environ.get(one.variable)], home)
