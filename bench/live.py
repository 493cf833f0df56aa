"""A thousand open pages on one process: what they cost, and how soon all hear of a change."""

from __future__ import annotations

import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.test import Client

from bench import scratch
from bench.report import Figure
from people.models import Customer, Role, User
from tickets.actions import MessageDraft, open_ticket, set_priority
from tickets.actor import Actor
from tickets.models import Channel, Priority, Ticket
from workspace import presence
from workspace.hints import Hint, PresenceHint, publish

PAGES = 1_000
#: So many come at once; a browser is let in before the next ones knock.
AT_ONCE = 50
ROUNDS = 30
#: A busy hour: hints in a second for as long as this.
BUSY_HINTS = 100
STARTING_SECONDS = 30.0
HEARING_SECONDS = 20.0
TARGET_MEGABYTES = 100
TARGET_SECONDS = 1.0


def figures() -> Iterator[Figure]:
    """Open the pages against a server of its own on a database of its own, and measure it."""
    with scratch.database():
        ticket, cookie = _cast()
        with _served() as (server, port):
            yield from _measured(server, port, ticket, cookie)


def _cast() -> tuple[Ticket, str]:
    """A manager, who hears of everything, with a session; and a ticket to change."""
    user = User.objects.create_user("manager@example.org", name="Sara Doria", role=Role.MANAGER)
    customer = Customer.objects.create(name="Chiara Bellini")
    ticket = open_ticket(
        customer=customer,
        subject="Lamp arrived with a cracked shade",
        channel=Channel.API,
        draft=MessageDraft(text="Can you send another shade?"),
        actor=Actor.customer(customer),
    )
    client = Client()
    client.force_login(user)
    return ticket, client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def _served() -> Iterator[tuple[int, int]]:
    """The helpdesk as it is served, in one process: its process id and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = str(connection.settings_dict["NAME"])
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    variables = os.environ | {"DATABASE_URL": database, "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "uvicorn", "helpdesk.asgi:application", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--log-level", "error", "--timeout-graceful-shutdown", "2"], env=variables
    )
    try:
        until = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > until or server.poll() is not None:
                    raise RuntimeError("The server did not start.") from None
                time.sleep(0.1)
        yield server.pid, port
    finally:
        server.terminate()
        server.wait(20)


def _measured(server: int, port: int, ticket: Ticket, cookie: str) -> Iterator[Figure]:
    listeners = Listeners(port, cookie)
    try:
        listeners.open(1)
        memory, cpu = _megabytes(server), _cpu_seconds(server)
        opening = time.perf_counter()
        while len(listeners) < PAGES:
            listeners.open(min(AT_ONCE, PAGES - len(listeners)))
        opened = time.perf_counter() - opening
        yield _figure(f"open {PAGES} pages", opened, "s")
        yield _figure(f"CPU to let {PAGES} in", _cpu_seconds(server) - cpu, "s")
        yield _figure(
            f"memory of {PAGES} pages", _megabytes(server) - memory, "MB", TARGET_MEGABYTES
        )
        yield _figure(f"threads with {PAGES} pages", _threads(server), "threads")
        yield _figure(f"connections to PostgreSQL of {PAGES} pages", _connections(), "connections")

        took = [listeners.hears(lambda: publish(_hint(ticket))) for _round in range(ROUNDS)]
        yield _figure("all hear a hint, median", statistics.median(took) * 1000, "ms")
        yield _figure("all hear a hint, slowest", max(took), "s", TARGET_SECONDS)
        took = [listeners.hears(lambda: publish(_presence(ticket))) for _round in range(ROUNDS)]
        yield _figure("all hear who is looking, median", statistics.median(took) * 1000, "ms")
        changed = [listeners.hears(lambda: _change(ticket)) for _round in range(ROUNDS)]
        yield _figure("from the click to all, median", statistics.median(changed) * 1000, "ms")

        cpu, began = _cpu_seconds(server), time.perf_counter()
        time.sleep(10)
        idle = (_cpu_seconds(server) - cpu) / (time.perf_counter() - began)
        yield _figure(f"CPU of {PAGES} quiet pages", idle * 100, "% of a core")
        cpu, began = _cpu_seconds(server), time.perf_counter()
        for _number in range(BUSY_HINTS):
            publish(_hint(ticket))
            time.sleep(0.1)
        listeners.drain()
        busy = (_cpu_seconds(server) - cpu) / (time.perf_counter() - began)
        yield _figure(f"CPU at 10 hints a second to {PAGES} pages", busy * 100, "% of a core")
        yield from _presence_figures(ticket)
    finally:
        listeners.close()


def _presence_figures(ticket: Ticket) -> Iterator[Figure]:
    """What it costs to know who is where when everybody is somewhere."""
    users = [User(pk=1_000_000 + number, name=f"Agent {number}") for number in range(PAGES)]
    announcing = []
    for user in users:
        began = time.perf_counter()
        presence.announce(user, ticket, page=secrets.token_hex(8), doing=presence.Doing.LOOKING)
        announcing.append((time.perf_counter() - began) * 1000)
    yield _figure("say that I am looking, median", statistics.median(announcing), "ms")
    asking = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        presence.open_by_others(users[0])
        asking.append((time.perf_counter() - began) * 1000)
    yield _figure(f"which of {PAGES} pages is open, median", statistics.median(asking), "ms")


class Listeners:
    """Open live streams, read by one process without a thread for each."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._all: list[socket.socket] = []
        self._selector = DefaultSelector()

    def __len__(self) -> int:
        return len(self._all)

    def open(self, count: int) -> None:
        """Open so many more, and wait until each listens."""
        new = []
        for _number in range(count):
            one = socket.create_connection(("127.0.0.1", self._port), timeout=STARTING_SECONDS)
            one.sendall(
                f"GET /desk/live/?page={secrets.token_hex(8)} HTTP/1.1\r\nHost: localhost\r\n"
                f"Cookie: {settings.SESSION_COOKIE_NAME}={self._cookie}\r\n\r\n".encode()
            )
            new.append(one)
        for one in new:
            said = b""
            while b"event: listening" not in said:
                part = one.recv(4096)
                if not part:
                    raise RuntimeError(f"A page was not let in: {said[:200]!r}")
                said += part
            one.settimeout(0)
            self._selector.register(one, EVENT_READ)
        self._all += new

    def hears(self, act: Callable[[], object]) -> float:
        """How long it takes until every page has heard of it."""
        self.drain()
        waiting = set(self._all)
        began = time.perf_counter()
        act()
        while waiting:
            if time.perf_counter() - began > HEARING_SECONDS:
                raise RuntimeError(f"{len(waiting)} pages heard nothing.")
            for key, _events in self._selector.select(1):
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                if b"data: {" in one.recv(65536):
                    waiting.discard(one)
        return time.perf_counter() - began

    def drain(self) -> None:
        """Read what is still on its way."""
        while ready := self._selector.select(0.2):
            for key, _events in ready:
                key.fileobj.recv(65536)  # type: ignore[union-attr]

    def close(self) -> None:
        for one in self._all:
            one.close()
        self._selector.close()


def _hint(ticket: Ticket) -> Hint:
    return Hint(ticket.number, frozenset([ticket.team_id]), frozenset())


def _presence(ticket: Ticket) -> PresenceHint:
    name = secrets.token_hex(8)
    return PresenceHint(ticket.number, 0, "Luca Bassi", name, "reply", ticket.team_id, None)


def _change(ticket: Ticket) -> None:
    ticket.refresh_from_db()
    other = Priority.HIGH if ticket.priority != Priority.HIGH else Priority.LOW
    set_priority(ticket, to=other, actor=Actor.system())


def _figure(name: str, value: float, unit: str, target: float | None = None) -> Figure:
    return Figure("live", name, value, unit, target=target, bound="value")


def _megabytes(pid: int) -> float:
    return _status(pid, "VmRSS") / 1024


def _threads(pid: int) -> float:
    return _status(pid, "Threads")


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    raise RuntimeError(f"The system does not say {name} of a process.")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _connections() -> float:
    """All but the one that asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        )
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0
