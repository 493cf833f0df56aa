"""Locks between processes. The kernel drops them when their holder dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` alone, waiting for it as long as it takes."""
    with opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def opened(path: Path) -> IO[str]:
    """The lock file at `path`, made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+")


def try_alone(file: IO[str]) -> bool:
    """Take the lock on an opened file alone if nobody else has it.

    A shared lock already held through the same file is given up, whatever the answer.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(file: IO[str]) -> None:
    """Take the lock on an opened file together with any number of others."""
    fcntl.flock(file, fcntl.LOCK_SH)
