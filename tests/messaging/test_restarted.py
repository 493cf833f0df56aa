"""PostgreSQL restarts at every step and Redis forgets: each mail ends as exactly one message."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import redis
import time_machine
from django.db import connection
from django.utils import timezone

from helpdesk.celery import app
from launcher.postgres import FORGETFUL, Postgres
from messaging.email import fetch
from messaging.management.commands import fetch_mail
from messaging.models import InboundMail, Mailbox
from messaging.tasks import sweep_inbound_mail
from tests.messaging.dovecot import PROGRAM, Dovecot
from tests.messaging.test_listener import SENDER, US, client, listening
from tests.messaging.test_mailboxes import (  # noqa: F401 - its fixtures
    authority,
    box,
    mail,
    running,
    server,
    until_it_holds,
)
from tickets.models import Message

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not PROGRAM, reason="Dovecot is not installed (Debian: dovecot-imapd)."),
]


@pytest.fixture(autouse=True)
def postgresql(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """A server of this test's own, with the tables of all tests."""
    folder = Path(tempfile.mkdtemp())
    own = Postgres(folder / "postgres", folder / "log", FORGETFUL)
    own.start()
    try:
        url = urlsplit(own.url)
        _copy_tables(own)
        for name, value in {
            "NAME": url.path[1:],
            "HOST": unquote(url.netloc.rpartition("@")[2]),
            "USER": url.username,
            "PASSWORD": "",
            "PORT": "",
            # As a worker keeps its connections: they break, too.
            "CONN_MAX_AGE": 60,
        }.items():
            monkeypatch.setitem(connection.settings_dict, name, value)
        connection.close()
        yield own
    finally:
        connection.close()
        monkeypatch.undo()
        own.stop()
        shutil.rmtree(folder)


def _copy_tables(own: Postgres) -> None:
    given = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    there = {names[key]: str(value) for key, value in given.items() if key in names and value}
    template = connection.settings_dict["TEST"]["TEMPLATE"]
    dumped = subprocess.run(
        [own.programs / "pg_dump", template],
        env={**os.environ, **there},
        capture_output=True,
        check=True,
    )
    psql = [own.programs / "psql", "-Xq1", "-v", "ON_ERROR_STOP=1", "-d", own.url]
    subprocess.run(psql, input=dumped.stdout, stdout=subprocess.DEVNULL, check=True)


def test_every_mail_is_one_message_though_postgresql_restarts_and_redis_forgets_at_every_step(
    postgresql: Postgres,
    server: Dovecot,  # noqa: F811
    box: Mailbox,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = redis.from_url(app.conf.broker_url)
    left = ["before the commit", "after the commit", "after it is marked", "within the reading"]

    def interrupted_at(step: str) -> None:
        if step in left:
            postgresql.stop()
            postgresql.start()
            broker.flushdb()
            left.remove(step)

    def also(act: Callable[..., Any], *, before: str = "", after: str = "") -> Callable[..., Any]:
        def acting(*given: Any, **named: Any) -> Any:
            interrupted_at(before)
            outcome = act(*given, **named)
            interrupted_at(after)
            return outcome

        return acting

    for name in ("FIRST_PAUSE", "LOOK_EVERY"):
        monkeypatch.setattr(fetch_mail, name, 0.1)
    taking = also(fetch.take_in, before="before the commit", after="after the commit")
    monkeypatch.setattr(fetch, "take_in", taking)
    monkeypatch.setattr(fetch, "_put_away", also(fetch._put_away, after="after it is marked"))
    server.put(mail(1), mail(2))
    watcher = fetch_mail.Watcher(box)
    watcher.start()
    until_it_holds(lambda: len(left) == 1 and not server.subjects(criteria="UNSEEN"), 30)
    # It goes on by itself, also when the IMAP server breaks off while it waits for mail.
    server.drop_everyone()
    server.put(mail(3))
    until_it_holds(lambda: not server.subjects(criteria="UNSEEN"), 30)
    watcher.stop()
    watcher.join(20)

    with listening() as listener, client(listener) as mta:
        mta.sendmail(SENDER, [US], mail(4))
        postgresql.stop()
        mta.mail(SENDER)
        assert mta.rcpt(US)[0] == 451
        postgresql.start()
        mta.rset()
        mta.sendmail(SENDER, [US], mail(5))

    connection.close()
    assert InboundMail.objects.counting().count() == 5
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        with monkeypatch.context() as middle:
            middle.setattr(InboundMail, "save", also(InboundMail.save, before="within the reading"))
            sweep_inbound_mail()
        assert left == []
        assert InboundMail.objects.owed().count() == 1, "the next ones are not to blame"
        sweep_inbound_mail()
    inbound = Message.objects.filter(kind="inbound").order_by("rfc_message_id")
    assert [one.rfc_message_id for one in inbound] == [f"<{n}@example.it>" for n in range(1, 6)]
