"""The whole helpdesk as its own processes: web, worker, scheduler and mail server."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings

PATIENCE_SECONDS = 40
Found = TypeVar("Found")


@dataclass(frozen=True)
class Desk:
    """A running helpdesk: where it is, what it mailed, and how mail comes in."""

    url: str
    mail_dir: Path
    environment: dict[str, str]

    def mail_to(self, address: str, about: str) -> EmailMessage:
        """The newest mail to this address with these words in its subject or text; waits for it."""

        def look() -> EmailMessage | None:
            for file in sorted(self.mail_dir.glob("*.eml"), reverse=True):
                mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                body = mail.get_body(("plain",))
                text = f"{mail['Subject']}\n{body.get_content() if body else ''}"
                if address in str(mail["To"]) and about in text:
                    return mail
            return None

        return eventually(look, f"a mail to {address} about {about!r}")

    def receive(self, raw: bytes) -> dict[str, object]:
        """Hand a raw mail over as a mail server would, and read the answer."""
        answer = subprocess.run(
            [sys.executable, "manage.py", "receive_mail"],
            input=raw,
            env=self.environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            check=True,
        )
        result: dict[str, object] = json.loads(answer.stdout)
        return result


def eventually(look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds within the patience of a person, or a failure that names it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {PATIENCE_SECONDS} s")


@contextmanager
def running_desk(folder: Path, template: str) -> Iterator[Desk]:
    """Start everything on a database of its own, which begins as a copy of `template`; stop it, and
    drop the database, at the end."""
    port = _free_port()
    mail_dir, state = folder / "mail", folder / "mail.json"
    catcher = [sys.executable, "-m", "launcher.mail_catcher", str(mail_dir), str(state), "0"]
    with (
        _database(template) as database_url,
        _process(catcher, dict(os.environ), folder / "mail.log"),
    ):
        mail_port = eventually(lambda: _port_in(state), "the mail server")
        environment = {
            **os.environ,
            "ENVIRONMENT": "local",
            "DEBUG": "0",
            "DATABASE_URL": database_url,
            "REDIS_URL": _other_redis(os.environ["REDIS_URL"]),
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "CAUGHT_MAIL_DIR": str(mail_dir),
            "ATTACHMENTS_DIR": str(folder / "attachments"),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "SURVEY_DELAY_SECONDS": "1",
            "UNDO_SEND_SECONDS": "1",
            "SWEEP_SECONDS": "1",
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        }
        company = [sys.executable, "-m", "tests.loop.company"]
        subprocess.run(company, env=environment, cwd=settings.BASE_DIR, check=True)
        web = ["-m", "uvicorn", "helpdesk.asgi:application", "--port", str(port)]
        web += ["--timeout-graceful-shutdown", "1"]
        celery = ["-m", "celery", "--app", "helpdesk", "worker", "--beat", "--concurrency", "1"]
        celery += ["--schedule", str(folder / "beat"), "--without-gossip", "--without-mingle"]
        with (
            _process([sys.executable, *web], environment, folder / "web.log"),
            _process([sys.executable, *celery], environment, folder / "worker.log"),
        ):
            eventually(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), "the web server")
            yield Desk(f"http://127.0.0.1:{port}", mail_dir, environment)


@contextmanager
def _process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=settings.BASE_DIR, stdout=output, stderr=output
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def _database(template: str) -> Iterator[str]:
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = f"loop_{os.getpid()}"
    maintenance = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _other_redis(url: str) -> str:
    """Another of the server's sixteen databases than any test uses."""
    if "db=" in url:
        return re.sub(r"db=\d+", "db=15", url)
    return urlunsplit(urlsplit(url)._replace(path="/15"))


def _port_in(state: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(json.loads(state.read_text())["port"])
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool | None:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return None
