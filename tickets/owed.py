"""Rows for what must happen later.

A row is written in the transaction that makes it owed. A task fulfils it soon; a sweep finds what
no task did. Fulfilling holds the row's lock, so that two workers never do one thing at once and a
killed worker leaves the row owed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import structlog
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

if TYPE_CHECKING:
    from celery import Task

log = structlog.get_logger(__name__)


class OwedQuerySet(models.QuerySet[Any]):
    def owed(self) -> Self:
        """Neither done nor given up."""
        return self.filter(done_at=None, parked_at=None)

    def due(self, moment: datetime | None = None) -> Self:
        """Owed, and its time has come."""
        return self.owed().filter(due_at__lte=moment or timezone.now())

    def late(self, *, by: timedelta) -> Self:
        """Due for longer than a task takes to be picked up: what a sweep should hurry."""
        return self.due(timezone.now() - by)

    def parked(self) -> Self:
        return self.exclude(parked_at=None)


class Owed(models.Model):
    """Something that we owe. Subclasses say what, and have a manager made of an `OwedQuerySet`;
    `fulfil` does it at least once."""

    due_at = models.DateTimeField(_("due"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    parked_at = models.DateTimeField(_("given up"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    # How often it is tried, and how long it waits after each failure.
    retry_after: ClassVar[tuple[timedelta, ...]] = (
        timedelta(seconds=30),
        timedelta(minutes=5),
        timedelta(hours=1),
        timedelta(hours=6),
    )

    class Meta:
        abstract = True

    @property
    def is_done(self) -> bool:
        return self.done_at is not None

    @property
    def is_parked(self) -> bool:
        return self.parked_at is not None

    def note_failure(self, error: str, *, is_final: bool = False) -> None:
        """Wait for the next try, or park when there is none left."""
        self.attempts += 1
        self.last_error = error[:2000]
        if is_final or self.attempts > len(self.retry_after):
            self.parked_at = timezone.now()
        else:
            self.due_at = timezone.now() + self.retry_after[self.attempts - 1]
        self.save(update_fields=["attempts", "last_error", "parked_at", "due_at"])

    def owe_again(self) -> None:
        """Take it out of the parking place: an administrator says that it is worth another try."""
        self.attempts, self.parked_at, self.due_at = 0, None, timezone.now()
        self.save(update_fields=["attempts", "parked_at", "due_at"])


class NotNow(Exception):
    """Raised while fulfilling: it may work the next time. The text says why, to people."""


class GiveUp(Exception):
    """Raised while fulfilling: trying again cannot help."""


Row = TypeVar("Row", bound=Owed)


def fulfil(
    model: type[Row],
    pk: int,
    do: Callable[[Row], object],
    *,
    given_up: Callable[[Row], object] | None = None,
) -> bool:
    """Do what one row owes, once its time has come, under the row's lock.

    Safe to run twice and by two workers at once. Whatever `do` wrote is rolled back when it fails;
    the failure is noted on the row. After the last try `given_up` does what the failure means, in
    the transaction that parks the row. Returns whether it was done now.
    """
    with transaction.atomic():
        row = (
            model._default_manager.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=pk)
            .first()
        )
        if row is None or row.is_done or row.is_parked or row.due_at > timezone.now():
            return False
        try:
            with transaction.atomic():
                do(row)
        except GiveUp as error:
            row.note_failure(str(error), is_final=True)
        except NotNow as error:
            log.info("owed_row_waits", model=model._meta.label, pk=pk, why=str(error))
            row.note_failure(str(error))
        except Exception as error:
            log.exception("owed_row_failed", model=model._meta.label, pk=pk)
            row.note_failure(f"{type(error).__name__}: {error}")
        else:
            row.done_at = timezone.now()
            row.save(update_fields=["done_at"])
            return True
        _tell_if_parked(row, given_up)
    return False


def _tell_if_parked(row: Row, given_up: Callable[[Row], object] | None) -> None:
    if row.is_parked and given_up:
        given_up(row)


class Broker:
    """What this process knows of the broker: after a knock that nobody answered, it is left alone
    for some seconds, since every knock makes somebody wait."""

    quiet_seconds: ClassVar[float] = 5
    quiet_until: ClassVar[float] = 0


def hurry(task: Task[[int], Any], pk: int, *, in_seconds: int = 0) -> None:
    """Let a worker fulfil a row soon after the commit, or so many seconds later.

    The row already says what is owed. When the broker cannot be reached, whatever made it owed
    succeeds all the same, and a sweep finds the row later.
    """
    transaction.on_commit(partial(_queue, task, pk, in_seconds))


def _queue(task: Task[[int], Any], pk: int, in_seconds: int) -> None:
    if time.monotonic() < Broker.quiet_until:
        return
    try:
        if in_seconds:
            task.apply_async((pk,), countdown=in_seconds)
        else:
            task.delay(pk)
    except OperationalError as error:
        Broker.quiet_until = time.monotonic() + Broker.quiet_seconds
        log.warning("task_not_queued", task=task.name, error=str(error))
