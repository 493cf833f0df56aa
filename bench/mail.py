"""Mail on its way in: from raw bytes to a routed ticket, by worker processes of Celery."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import urlsplit, urlunsplit

import redis
from django.db import connection

from bench import scratch, seed
from bench.main import insert_alike
from bench.report import Figure
from helpdesk.celery import app
from messaging.email.receive import take_in
from messaging.models import InboundMail
from tickets.models import Ticket

TICKETS_BEFORE = 2_000
MAILS = int(os.environ.get("MAILS", "300"))
#: 40 mails a second are one in 25 ms.
MILLISECONDS_TARGET = 25
A_SECOND = 20
ARRIVALS_SECONDS = int(os.environ.get("SECONDS", "15"))
VISIBLE_TARGET_SECONDS = 5
#: A queue of its own, so that the tasks of a real helpdesk on the same Redis stay where they are.
QUEUE = f"bench-{os.getpid()}"
UNREAD_QUEUE = f"{QUEUE}-left"
PATIENCE_SECONDS = 120

_WORKER = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
import django
django.setup()
from bench.mail import use_queues
from helpdesk.celery import app
use_queues(sys.argv[1], sys.argv[2])
app.worker_main(["worker", "-Q", sys.argv[1], "-c", sys.argv[3], "--loglevel", "CRITICAL",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""

_PARAGRAPH = (
    "I ordered the floor lamp on Tuesday and was promised that it would come within three days. "
    "It has not, and nobody answers the telephone. Could you please tell me where my parcel is? "
)


def use_queues(queue: str, others: str) -> None:
    """Let this process queue the reading of mails in one queue and everything else in another,
    which nobody reads: acknowledgements are owed here, and not sent."""
    app.conf.task_default_queue = others
    app.conf.task_routes = {"messaging.tasks.read_mail": {"queue": queue}}


def figures() -> Iterator[Figure]:
    """One worker process, two, the bare inserts, and a steady stream."""
    with scratch.database():
        seed.grow_to(TICKETS_BEFORE)
        use_queues(QUEUE, UNREAD_QUEUE)
        floor = None
        for processes in (1, 2):
            with _workers(processes):
                took = _backlog(f"b{processes}")
                floor = floor or _bare_inserts()
                yield Figure(
                    "mail",
                    f"10 KB mail to routed ticket, {processes} worker process(es)",
                    took,
                    "ms",
                    floor=floor,
                    target=MILLISECONDS_TARGET,
                    bound="value",
                )
        with _workers(1):
            waits = _stream()
        yield Figure(
            "mail",
            f"arrival to visible at {A_SECOND} mails/s, median",
            statistics.median(waits),
            "s",
        )
        yield Figure(
            "mail",
            f"arrival to visible at {A_SECOND} mails/s, 95 %",
            statistics.quantiles(waits, n=20)[-1],
            "s",
            target=VISIBLE_TARGET_SECONDS,
            bound="value",
        )


def _mail(name: str) -> bytes:
    """An ordinary mail of 10 KB, in text and HTML, with what it answers below it."""
    mail = EmailMessage()
    mail["From"] = f"Customer {name} <{name}@example.org>"
    mail["To"] = "help@example.com"
    mail["Subject"] = f"Where is my parcel {name}?"
    mail["Message-ID"] = f"<{name}@example.org>"
    mail["Date"] = "Tue, 03 Nov 2026 09:15:00 +0100"
    quoted = "".join(f"> {line}\n" for line in textwrap.wrap(_PARAGRAPH * 20, 72))
    mail.set_content(f"{_PARAGRAPH * 4}\n\nOn Monday, Shop <help@example.com> wrote:\n{quoted}")
    history = f"<p>{_PARAGRAPH}</p>\n" * 20
    mail.add_alternative(
        f"<div>{_PARAGRAPH * 4}</div><div class='gmail_quote'>{history}</div>", subtype="html"
    )
    return bytes(mail)


def _backlog(prefix: str) -> float:
    """Milliseconds a mail, when all come at once: kept by this process, read by the workers."""
    mails = [_mail(f"{prefix}-{number}") for number in range(MAILS)]
    started = time.perf_counter()
    pks = [take_in(raw).pk for raw in mails]
    _until_done(pks)
    return (time.perf_counter() - started) / MAILS * 1000


def _bare_inserts() -> float:
    """Milliseconds to insert one such mail and the rows that it left, with nothing decided."""
    found = list(InboundMail.objects.filter(outcome="accepted").select_related("message__ticket"))
    took = []
    for mail in found[-100:]:
        ticket = Ticket.objects.get(pk=mail.message.ticket_id) if mail.message else None
        if ticket is None:
            continue
        started = time.perf_counter()
        InboundMail.objects.create(raw=bytes(mail.raw), fingerprint=f"x{mail.pk}")
        insert_alike(ticket)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def _stream() -> list[float]:
    """Seconds from each mail's arrival to the moment at which its ticket was there."""
    mails = [_mail(f"s-{number}") for number in range(A_SECOND * ARRIVALS_SECONDS)]
    pks: list[int] = []
    behind = time.perf_counter()
    for number, raw in enumerate(mails):
        time.sleep(max(0.0, behind + number / A_SECOND - time.perf_counter()))
        pks.append(take_in(raw).pk)
    _until_done(pks)
    rows = InboundMail.objects.filter(pk__in=pks).values_list("received_at", "done_at")
    return [(done - received).total_seconds() for received, done in rows if done]


def _until_done(pks: list[int]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while InboundMail.objects.filter(pk__in=pks, done_at=None).exists():
        if time.monotonic() > until:
            raise RuntimeError("The workers do not get done.")
        time.sleep(0.02)
    if InboundMail.objects.filter(pk__in=pks).exclude(outcome="accepted").exists():
        raise RuntimeError("Not every mail became a ticket.")


@contextmanager
def _workers(processes: int) -> Iterator[None]:
    """Workers on the scratch database that have read a first mail and are warm."""
    given = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(given._replace(path=f"/{connection.settings_dict['NAME']}")),
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, QUEUE, UNREAD_QUEUE, str(processes)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_done([take_in(_mail(f"w{worker.pid}-{n}")).pk for n in range(5 * processes)])
        yield
    finally:
        worker.terminate()
        worker.wait(30)
        redis.from_url(app.conf.broker_url).delete(QUEUE, UNREAD_QUEUE)
