"""Fetcher and reader die at every step, the connection breaks, Redis forgets: each mail ends as
exactly one message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from helpdesk.celery import app
from messaging.email import fetch
from messaging.models import InboundMail, Mailbox
from messaging.tasks import sweep_inbound_mail
from tests.messaging.certificates import Authority
from tests.messaging.conftest import ROOT, environment_of_a_process
from tests.messaging.dovecot import PROGRAM, Dovecot
from tests.messaging.test_mailboxes import (  # noqa: F401 - its fixtures
    authority,
    box,
    fetched,
    mail,
    running,
    server,
)
from tickets.models import Message

pytestmark = pytest.mark.skipif(not PROGRAM, reason="Dovecot is not installed: dovecot-imapd.")

#: `manage.py fetch_mail --once`, which dies when it would change anything in the mailbox.
DYING = """
import os, signal
from messaging.email import fetch
fetch._put_away = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
"""
MANAGE = """
import sys
import django
django.setup()
{first}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "fetch_mail", "--once"])
"""


def die(*_given: object, **_named: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(act: Callable[[], Any]) -> bool:
    """Whether a process of its own, with connections of its own, was killed while it did this."""
    inherited = connection.connection
    child = os.fork()
    if child == 0:
        connection.connection = None  # The parent's, which must not hear of our end.
        try:
            act()
        finally:
            os._exit(0)
    assert connection.connection is inherited
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.django_db(transaction=True)
def test_every_mail_is_one_message_wherever_a_process_is_killed_and_redis_forgets(
    server: Dovecot,  # noqa: F811
    box: Mailbox,  # noqa: F811
    authority: Authority,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put(mail(1), mail(2))

    # After the mail is committed, and before it is marked on its server.
    process = subprocess.run(
        [sys.executable, "-c", MANAGE.format(first=DYING)],
        cwd=ROOT,
        env=environment_of_a_process(
            DJANGO_SETTINGS_MODULE="helpdesk.settings", MAIL_CA_FILE=str(authority.file)
        ),
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    assert InboundMail.objects.count() == 1
    assert server.subjects(criteria="SEEN") == []

    def fetch_once() -> None:
        call_command("fetch_mail", "--once")

    # Before it is kept; after it is marked; when everything is done but the note that it is.
    really_put_away = fetch._put_away
    with monkeypatch.context() as dying:
        dying.setattr(fetch, "take_in", die)
        assert killed(fetch_once)

    def put_away_and_die(*given: Any) -> None:
        really_put_away(*given)
        die()

    with monkeypatch.context() as dying:
        dying.setattr(fetch, "_put_away", put_away_and_die)
        assert killed(fetch_once)
    assert server.subjects(criteria="SEEN") == ["Invoice 1"]
    with monkeypatch.context() as dying:
        dying.setattr("messaging.models.Fetching.note_success", die)
        assert killed(fetch_once)
    fetch_once()
    assert InboundMail.objects.exclude(outcome="duplicate").count() == 2

    # The tasks are lost with Redis, and the process that sweeps dies within the transaction.
    redis.from_url(app.conf.broker_url).flushdb()
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        with monkeypatch.context() as dying:
            dying.setattr(InboundMail, "save", die)
            assert killed(sweep_inbound_mail)
        assert Message.objects.count() == 0
        sweep_inbound_mail()
        sweep_inbound_mail()
    inbound = Message.objects.filter(kind="inbound").order_by("rfc_message_id")
    assert [one.rfc_message_id for one in inbound] == ["<1@example.it>", "<2@example.it>"]
    assert not InboundMail.objects.owed().exists()


@pytest.mark.django_db
def test_a_connection_that_breaks_between_two_mails_loses_and_doubles_none(
    server: Dovecot,  # noqa: F811
    box: Mailbox,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put(mail(1), mail(2), mail(3))
    really_put_away = fetch._put_away
    marked: list[int] = []

    def put_away(opened: Any, mailbox: Mailbox, uid: int) -> None:
        marked.append(uid)
        if len(marked) == 2:
            server.drop_everyone()
        really_put_away(opened, mailbox, uid)

    with monkeypatch.context() as breaking:
        breaking.setattr(fetch, "_put_away", put_away)
        call_command("fetch_mail", "--once")
    box.fetching.refresh_from_db()
    assert box.fetching.last_error
    assert InboundMail.objects.count() == 2
    fetched(box)
    assert server.subjects(criteria="UNSEEN") == []
    box.fetching.refresh_from_db()
    assert box.fetching.last_error == ""
    inbound = Message.objects.filter(kind="inbound").order_by("rfc_message_id")
    assert [one.rfc_message_id for one in inbound] == [f"<{n}@example.it>" for n in (1, 2, 3)]
