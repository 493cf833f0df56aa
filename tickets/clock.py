"""The time at which an action happens.

Actions ask `clock.now()`. Importers and the demo company run the same actions at another moment
inside `with clock.at(moment):`; what was recorded when stays honest in `Event.recorded_at`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.utils import timezone

_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """The present moment, aware, or the one set by `at`."""
    return _moment.get() or timezone.now()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let everything inside happen at `moment` (aware)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
