"""The embedded services: shared while somebody uses them, gone afterwards, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest
import redis

from launcher.processes import is_alive, wait_until

from .conftest import Checkout

USE = """
import json, sys
from launcher import servers
with servers.for_running() as running:
    print(json.dumps(running.environment), flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the services until it is told to leave."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        self.urls: dict[str, str] = json.loads(line)

    def leave(self) -> None:
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def using(checkout: Checkout, **variables: str) -> Iterator[User]:
    process = subprocess.Popen(
        [sys.executable, "-c", USE],
        cwd=checkout.root,
        env={**checkout.environment, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield User(process)
    finally:
        if process.poll() is None:
            process.communicate(timeout=60)


def pids(checkout: Checkout) -> dict[str, int]:
    var = checkout.root / "var"
    found = {"postgres": int((var / "postgres/data/postmaster.pid").read_text().split("\n")[0])}
    for name in ("redis", "mail-catcher"):
        found[name] = json.loads((var / name / "state.json").read_text())["pid"]
    return found


def none_left(running: dict[str, int]) -> bool:
    """Whether all of these processes have ended, saying which have not."""
    wait_until(lambda: not any(map(is_alive, running.values())), seconds=10)
    assert {name for name, pid in running.items() if is_alive(pid)} == set()
    return True


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_all_answer_while_used_and_are_gone_afterwards(shared_checkout: Checkout) -> None:
    with using(shared_checkout) as user:
        assert ask(user.urls["DATABASE_URL"], "select current_database()") == "helpdesk"
        assert ask(user.urls["DATABASE_URL"], "show listen_addresses") == ""
        assert ask(user.urls["DATABASE_URL"], "show server_encoding") == "UTF8"
        queue = redis.Redis.from_url(user.urls["REDIS_URL"])
        assert queue.ping()
        assert queue.config_get("bind") == {"bind": "127.0.0.1"}
        port = queue.connection_pool.connection_kwargs["port"]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        running = pids(shared_checkout)
        assert all(is_alive(pid) for pid in running.values())
    assert none_left(running)
    assert not (shared_checkout.root / "var/postgres/data/postmaster.pid").exists()


def test_mail_is_kept_whole_with_its_envelope(shared_checkout: Checkout) -> None:
    message = EmailMessage()
    message["Subject"] = "Grüße, șase lămpi"
    message.set_content("Ciao\r\n.punto\r\n")
    with using(shared_checkout) as user:
        host, port = user.urls["EMAIL_URL"].removeprefix("smtp://").split(":")
        with smtplib.SMTP(host, int(port)) as client:
            client.send_message(message, "desk@casa.example", ["a@casa.example", "b@casa.example"])
        kept = list((shared_checkout.root / "var/mail").iterdir())
        assert [path.suffix for path in kept] == [".eml"]
        raw = kept[0].read_bytes()
    assert raw.startswith(
        b"Return-Path: <desk@casa.example>\r\n"
        b"Delivered-To: a@casa.example\r\nDelivered-To: b@casa.example\r\n"
    )
    assert raw.rstrip().endswith(b"Ciao\r\n.punto")


def test_the_last_to_leave_stops_them_and_not_the_first(shared_checkout: Checkout) -> None:
    with using(shared_checkout) as first, using(shared_checkout) as second:
        assert first.urls == second.urls
        first.leave()
        assert ask(second.urls["DATABASE_URL"], "select 1") == 1
        assert redis.Redis.from_url(second.urls["REDIS_URL"]).ping()
        running = pids(shared_checkout)
        second.leave()
        assert none_left(running)


def test_a_killed_user_leaves_them_to_the_next_who_stops_them(shared_checkout: Checkout) -> None:
    with using(shared_checkout) as killed:
        running = pids(shared_checkout)
        killed.kill()
    assert all(map(is_alive, running.values()))
    with using(shared_checkout) as following:
        assert following.urls == killed.urls
        assert pids(shared_checkout) == running
    assert none_left(running)


def test_data_outlive_a_killed_server(shared_checkout: Checkout) -> None:
    with using(shared_checkout) as user:
        ask(user.urls["DATABASE_URL"], "create table kept as select 42 as answer")
        running = pids(shared_checkout)
        for pid in running.values():
            os.kill(pid, signal.SIGKILL)
        user.kill()
    with using(shared_checkout) as following:
        assert ask(following.urls["DATABASE_URL"], "select answer from kept") == 42
        assert redis.Redis.from_url(following.urls["REDIS_URL"]).ping()


def test_a_stale_process_number_does_not_stop_the_start(shared_checkout: Checkout) -> None:
    with using(shared_checkout) as user:
        server = pids(shared_checkout)["postgres"]
        os.kill(server, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(server), seconds=10)
        stale = shared_checkout.root / "var/postgres/data/postmaster.pid"
        # As after a restart of the machine: the number belongs to another program now.
        lines = stale.read_text().split("\n")
        stale.write_text("\n".join([str(os.getpid()), *lines[1:]]))
        user.kill()
    with using(shared_checkout) as following:
        assert ask(following.urls["DATABASE_URL"], "select 1") == 1
    assert is_alive(os.getpid())


def test_a_deep_folder_with_spaces_serves_too(folder: Path) -> None:
    checkout = Checkout(folder / ("a rather deep folder " * 5).strip() / "help'desk")
    checkout.have_venv()
    with using(checkout, EMAIL_URL="smtp://mail.example:25") as user:
        assert ask(user.urls["DATABASE_URL"], "select current_database()") == "helpdesk"
        assert redis.Redis.from_url(user.urls["REDIS_URL"]).ping()


def test_no_name_is_looked_up_which_waits_long_without_a_network(
    shared_checkout: Checkout, folder: Path
) -> None:
    (folder / "sitecustomize.py").write_text(
        "import socket\n"
        "def no_network(*args): raise OSError('a name was looked up')\n"
        "socket.getfqdn = no_network\n"
    )
    with using(shared_checkout, PYTHONPATH=str(folder)) as user:
        assert user.urls["EMAIL_URL"].startswith("smtp://127.0.0.1:")


def test_what_the_environment_names_is_not_started(shared_checkout: Checkout) -> None:
    elsewhere = {
        "DATABASE_URL": "postgresql://db.example/helpdesk",
        "REDIS_URL": "redis://queue.example:6379/0",
        "EMAIL_URL": "smtp://mail.example:25",
    }
    with using(shared_checkout, **elsewhere) as user:
        assert user.urls == {}
    with using(shared_checkout, **{**elsewhere, "REDIS_URL": ""}) as user:
        assert set(user.urls) == {"REDIS_URL"}
