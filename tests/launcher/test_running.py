"""`bin/run` and `bin/manage`, with a helpdesk of a few lines behind them."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launcher.processes import command_line, is_alive, wait_until

from . import stub
from .conftest import Checkout


@pytest.fixture(scope="module")
def helpdesk(shared_checkout: Checkout) -> Checkout:
    """A clone that was started before: nothing has to be downloaded any more."""
    stub.write(shared_checkout.root)
    return shared_checkout


class Run:
    """A `bin/run` at work, and what it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        assert process.stdout
        for line in process.stdout:
            self.said += line
            if "Ctrl-C stops everything" in line:
                return
        raise AssertionError(self.said)

    def end(self) -> str:
        """Wait for the end and return what was said since the greeting."""
        return self.process.communicate(timeout=60)[0]


@contextmanager
def running(checkout: Checkout, port: int) -> Iterator[Run]:
    process = subprocess.Popen(
        ["bin/run", "--port", str(port)],
        cwd=checkout.root,
        env=checkout.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Run(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            assert process.returncode == 0


def processes_of(root: Path) -> dict[int, str]:
    """Every living process whose command names the folder, or that works in it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and is_alive(int(entry.name)):
            command = command_line(int(entry.name))
            try:
                works_in = (entry / "cwd").readlink()
            except OSError:
                works_in = None
            if str(root) in command or works_in == root:
                found[int(entry.name)] = command
    return found


def fetch(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return answer.read()


def test_it_greets_serves_and_leaves_nothing_behind(
    helpdesk: Checkout, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(helpdesk.environment, "MAIL_LISTEN_URL", "lmtp://127.0.0.1:8024")
    with running(helpdesk, free_port) as run:
        assert f"The helpdesk is up at http://localhost:{free_port}" in run.said
        assert "agent agent@example.com secret" in run.said
        assert f"http://localhost:{free_port}/mail/" in run.said
        assert fetch(free_port) == b"ok"
        started = processes_of(helpdesk.root)
        parts = ("uvicorn", "helpdesk worker", "helpdesk beat", "fetch_mail", "listen_mail")
        for part in parts:
            assert any(part in command for command in started.values()), part
        run.process.send_signal(signal.SIGTERM)
        assert "Stopped." in run.end()
        assert run.process.returncode == 0
    assert processes_of(helpdesk.root) == {}


def test_a_program_that_dies_is_named_and_ends_the_rest(helpdesk: Checkout, free_port: int) -> None:
    with running(helpdesk, free_port) as run:
        assert not any("listen_mail" in line for line in processes_of(helpdesk.root).values())
        beat = [pid for pid, line in processes_of(helpdesk.root).items() if "helpdesk beat" in line]
        os.kill(beat[0], signal.SIGKILL)
        said = run.end()
        assert "bin/run: beat was killed by signal 9; the end of its log:" in said
        assert "Traceback" not in said
        assert run.process.returncode == 1
    assert processes_of(helpdesk.root) == {}


def test_a_database_that_dies_is_named_too(helpdesk: Checkout, free_port: int) -> None:
    with running(helpdesk, free_port) as run:
        pid = helpdesk.root / "var/postgres/data/postmaster.pid"
        os.kill(int(pid.read_text().split("\n")[0]), signal.SIGKILL)
        assert "bin/run: PostgreSQL is gone; its log is" in run.end()
        assert run.process.returncode == 1
    assert processes_of(helpdesk.root) == {}


def test_programs_do_not_outlive_a_killed_launcher(helpdesk: Checkout, free_port: int) -> None:
    with running(helpdesk, free_port) as run:
        run.process.kill()
        run.process.communicate()

        def serving() -> list[str]:
            found = processes_of(helpdesk.root).values()
            return [line for line in found if "uvicorn" in line or "celery" in line]

        wait_until(lambda: not serving(), seconds=20)
        assert serving() == []
    with running(helpdesk, free_port) as again:
        assert fetch(free_port) == b"ok"
        assert "is up at" in again.said
    assert processes_of(helpdesk.root) == {}


def test_manage_shares_what_runs_and_stops_what_it_started(
    helpdesk: Checkout, free_port: int
) -> None:
    count = "from django.contrib.auth.models import User; print(User.objects.count(), 'user')"
    with running(helpdesk, free_port):
        before = processes_of(helpdesk.root)
        done = helpdesk.run("bin/manage", "shell", "--verbosity", "0", "--command", count)
        assert (done.stdout.strip(), done.returncode) == ("1 user", 0), done.stderr
        assert before.items() <= processes_of(helpdesk.root).items()
        assert fetch(free_port) == b"ok"
    done = helpdesk.run("bin/manage", "shell", "--verbosity", "0", "--command", count)
    assert (done.stdout.strip(), done.returncode) == ("1 user", 0), done.stderr
    assert processes_of(helpdesk.root) == {}


def test_manage_passes_input_and_the_exit_code(helpdesk: Checkout) -> None:
    done = helpdesk.run("bin/manage", "no_such_command")
    assert done.returncode == 1
    assert "no_such_command" in done.stderr
    code = "import sys; sys.exit(len(sys.stdin.read()))"
    done = subprocess.run(
        ["bin/manage", "shell", "--verbosity", "0", "--command", code],
        cwd=helpdesk.root,
        env=helpdesk.environment,
        input="seven..",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
