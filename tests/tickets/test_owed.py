"""What is owed is done once, in spite of failures, rivals and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from messaging.models import OutgoingMail
from people.models import Team
from tests.at_once import at_once
from tickets.owed import GiveUp, Owed, fulfil


@pytest.fixture
def mail(db: None) -> OutgoingMail:
    return OutgoingMail.objects.create(
        purpose=OutgoingMail.Purpose.REPLY,
        to_address="chiara@example.it",
        subject="Hello",
        text="Hello",
        rfc_message_id="<1@casanord.example>",
    )


def again(mail: OutgoingMail) -> OutgoingMail:
    return OutgoingMail.objects.get(pk=mail.pk)


def fail(row: OutgoingMail) -> None:
    Team.objects.create(name="Half done")
    raise ConnectionError("The server hung up.")


def test_it_is_done_once(mail: OutgoingMail) -> None:
    done: list[int] = []
    assert fulfil(OutgoingMail, mail.pk, lambda row: done.append(row.pk))
    assert not fulfil(OutgoingMail, mail.pk, lambda row: done.append(row.pk))
    assert done == [mail.pk]
    assert again(mail).is_done
    assert not OutgoingMail.objects.owed().exists()


def test_it_is_not_done_before_its_time(mail: OutgoingMail) -> None:
    mail.due_at = timezone.now() + timedelta(minutes=1)
    mail.save()
    assert not fulfil(OutgoingMail, mail.pk, fail)
    assert again(mail).attempts == 0
    with time_machine.travel(mail.due_at + timedelta(seconds=1)):
        assert OutgoingMail.objects.due().get() == mail
        assert fulfil(OutgoingMail, mail.pk, lambda row: None)


def test_a_row_that_is_gone_owes_nothing(mail: OutgoingMail) -> None:
    mail.delete()
    assert not fulfil(OutgoingMail, 0, fail)


def test_a_failure_undoes_what_was_half_done_and_waits(mail: OutgoingMail) -> None:
    start = timezone.now()
    assert not fulfil(OutgoingMail, mail.pk, fail)
    row = again(mail)
    assert not Team.objects.filter(name="Half done").exists()
    assert (row.attempts, row.is_done, row.is_parked) == (1, False, False)
    assert row.last_error == "ConnectionError: The server hung up."
    assert row.due_at >= start + timedelta(seconds=30)
    assert not OutgoingMail.objects.due().exists()
    assert not OutgoingMail.objects.late(by=timedelta(0)).exists()


def test_it_waits_longer_each_time_and_is_parked_in_the_end(
    mail: OutgoingMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutgoingMail, "retry_after", Owed.retry_after)
    waits = []
    moment = timezone.now() + timedelta(seconds=1)
    for _ in range(5):
        with time_machine.travel(moment, tick=False):
            assert not fulfil(OutgoingMail, mail.pk, fail)
            row = again(mail)
            if not row.is_parked:
                waits.append((row.due_at - timezone.now()).total_seconds())
        moment = row.due_at + timedelta(seconds=1)
    assert waits == [30, 300, 3600, 6 * 3600]
    assert row.is_parked
    assert (row.attempts, row.is_done) == (5, False)
    assert OutgoingMail.objects.parked().get() == mail
    assert not OutgoingMail.objects.owed().exists()
    assert not fulfil(OutgoingMail, mail.pk, lambda row: None)
    row.owe_again()
    assert fulfil(OutgoingMail, mail.pk, lambda row: None)


def test_what_cannot_help_is_not_tried_again(mail: OutgoingMail) -> None:
    def give_up(row: OutgoingMail) -> None:
        raise GiveUp("There is no such address.")

    assert not fulfil(OutgoingMail, mail.pk, give_up)
    row = again(mail)
    assert (row.is_parked, row.attempts, row.last_error) == (
        True,
        1,
        "There is no such address.",
    )


def test_a_failure_of_the_database_is_noted_too(mail: OutgoingMail) -> None:
    def stumble(row: OutgoingMail) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    assert not fulfil(OutgoingMail, mail.pk, stumble)
    assert "division by zero" in again(mail).last_error


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_it_once(mail: OutgoingMail) -> None:
    done: list[str] = []
    rival_was_here = threading.Event()

    def slowly(row: OutgoingMail) -> None:
        done.append("done")
        rival_was_here.wait(timeout=5)

    def rival() -> bool:
        outcome = fulfil(OutgoingMail, mail.pk, slowly)
        rival_was_here.set()
        return outcome

    outcomes = at_once(rival, rival)
    assert sorted(outcomes) == [False, True]
    assert done == ["done"]


KILLED = """
import sys, django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from messaging.models import OutgoingMail
from people.models import Team
from tickets.owed import fulfil

def half(row):
    Team.objects.create(name="Half done")
    print("half done", flush=True)
    sys.stdin.read()

fulfil(OutgoingMail, int(sys.argv[2]), half)
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_leaves_it_owed(mail: OutgoingMail) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", KILLED, connection.settings_dict["NAME"], str(mail.pk)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
    )
    assert worker.stdout
    assert worker.stdout.readline() == "half done\n"
    assert not fulfil(OutgoingMail, mail.pk, lambda row: None), "It is still held."
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    for stream in (worker.stdin, worker.stdout):
        assert stream
        stream.close()
    _wait_until_free(mail)
    row = again(mail)
    assert (row.is_done, row.attempts) == (False, 0)
    assert not Team.objects.filter(name="Half done").exists()
    assert fulfil(OutgoingMail, mail.pk, lambda row: None)


def _wait_until_free(mail: OutgoingMail) -> None:
    """The server notices that the worker's connection is gone and rolls it back."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")
        cursor.execute(
            f"SELECT id FROM {OutgoingMail._meta.db_table} WHERE id = %s FOR UPDATE", [mail.pk]
        )
        cursor.execute("RESET lock_timeout")


def test_sweeps_look_at_what_is_late_only(mail: OutgoingMail) -> None:
    late: Any = OutgoingMail.objects.late
    assert not late(by=timedelta(minutes=1)).exists()
    OutgoingMail.objects.update(due_at=timezone.now() - timedelta(minutes=2))
    assert late(by=timedelta(minutes=1)).get() == mail
