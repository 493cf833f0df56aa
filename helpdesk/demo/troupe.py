"""Plays the script's parts, one per team, at the same time."""

from __future__ import annotations

import gc
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Final

from django.db import DEFAULT_DB_ALIAS, connection, connections

from helpdesk.demo.company import Company
from helpdesk.demo.course import Life
from helpdesk.demo.stage import Stage
from metrics.actions import refold
from metrics.reactions import owe_facts
from tickets import history
from triage.calendars import TeamCalendars

FOLDED_AT_ONCE: Final = 500
PREPARED: Final = 400


class PartFailed(Exception):
    """One part of the script could not be played to its end. Says why."""


def perform(company: Company, parts: Sequence[list[Life]], *, until: datetime) -> None:
    """Play every part as far as it has happened by `until`, each in a process of its own.

    Inside a transaction of the caller they are played one after the other in it. Raises
    `PartFailed`; what was played until then stays, and is the caller's to take away.
    """
    if connection.in_atomic_block:
        for lives in parts:
            _play(company, lives, until)
        return
    connections.close_all()
    processes = multiprocessing.get_context("fork")
    ours, theirs = processes.Pipe(duplex=False)
    players = [
        processes.Process(target=_perform_part, args=(theirs, os.getpid(), company, lives, until))
        for lives in parts
    ]
    for player in players:
        player.start()
    theirs.close()
    for player in players:
        player.join()
    if any(player.exitcode for player in players):
        raise PartFailed(ours.recv() if ours.poll() else "A process ended before its part did.")


def _perform_part(
    theirs: Connection, parent: int, company: Company, lives: list[Life], until: datetime
) -> None:
    # This process does nothing else: garbage may stay, and a failure ends everything.
    gc.freeze()
    gc.disable()
    # A connection of its own: what the parent may still hold open is not to be shared by its forks.
    connections[DEFAULT_DB_ALIAS] = connections.create_connection(DEFAULT_DB_ALIAS)
    connection.features.uses_savepoints = False
    # The same few hundred statements again and again: PostgreSQL plans each of them once.
    connection.settings_dict["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 2}
    try:
        with connection.cursor() as cursor:
            connection.connection.prepared_max = PREPARED
            # Nothing here was promised to anybody: a crash of the server starts the demo anew.
            cursor.execute("SET synchronous_commit = off")
        _play(company, lives, until, is_wanted=lambda: os.getppid() == parent)
    except BaseException:
        theirs.send(traceback.format_exc())
        raise
    finally:
        connection.close()


def _play(
    company: Company,
    lives: list[Life],
    until: datetime,
    *,
    is_wanted: Callable[[], bool] = lambda: True,
) -> None:
    stage = Stage(company, until=until, is_wanted=is_wanted)
    with _facts_at_the_end():
        stage.play(lives)
    keys, calendars = sorted(stage.tickets), TeamCalendars.load()
    for start in range(0, len(keys), FOLDED_AT_ONCE):
        refold(keys[start : start + FOLDED_AT_ONCE], calendars=calendars)


@contextmanager
def _facts_at_the_end() -> Iterator[None]:
    """Every ticket is folded when its part is over, so nothing is owed for single events."""
    history.recorded.disconnect(owe_facts)
    try:
        yield
    finally:
        history.recorded.connect(owe_facts)
