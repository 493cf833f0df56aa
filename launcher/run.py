"""`bin/run`: the whole helpdesk on one machine."""

import argparse
import errno
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from launcher import bootstrap, environment, servers
from launcher.failure import Failure, last_line
from launcher.locks import opened, try_alone
from launcher.paths import PYTHON, ROOT, VAR
from launcher.progress import say
from launcher.supervisor import Supervisor

READY_SECONDS = 90
MIGRATED = VAR / "postgres" / "migrated"  # beside the data, to go when they go
WATCH_SECONDS = 0.5


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; a program that ends by itself ends everything."""
    parser = argparse.ArgumentParser(
        prog="bin/run", description="Start the whole helpdesk on this machine; Ctrl-C stops it."
    )
    parser.add_argument("--port", type=_port, default=8000, help="default: 8000")
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets other machines in; default: 127.0.0.1"
    )
    parser.add_argument(
        "--debug", action="store_true", help="show errors in pages and reload changed code"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    with _one_at_a_time():
        _refuse_taken_port(options.host, options.port)
        bootstrap.prepare(development=False)
        with _stopping_on_signals():
            try:
                _serve(options, started)
            except Stopped:
                say("Stopped.")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port; one is from 1 to 65535")
    return int(text)


class Stopped(BaseException):
    """Someone asked the launcher to stop."""


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        # A second one, while stopping, is a KeyboardInterrupt: it cuts the waiting short.
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.default_int_handler)
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(options: argparse.Namespace, started: float) -> None:
    name = "localhost" if options.host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else options.host  # noqa: S104
    base_url = os.environ.get("BASE_URL", f"http://{name}:{options.port}")
    with servers.for_running() as running:
        variables = environment.for_running(
            running, base_url=base_url, hosts=environment.hosts_of(options.host)
        )
        if options.debug:
            variables["DEBUG"] = "1"
        supervisor = Supervisor(variables, VAR / "log")
        try:
            # What has all its tables already may start at once, while the preparation only looks.
            is_migrated = _is_migrated(running)
            if is_migrated:
                _start(supervisor, options)
            log_ins = _prepare_database(variables)
            if not is_migrated:
                _start(supervisor, options)
                _note_migrations(running)
            _wait_until_ready(supervisor, options)
            environment.RUNNING.write(pid=os.getpid(), base_url=base_url)
            _greet(base_url, log_ins, variables, seconds=time.monotonic() - started)
            while True:
                supervisor.check()
                for service in running.members:
                    if not service.is_running():
                        raise Failure(f"{service.name} is gone; its log is {service.log}.")
                time.sleep(WATCH_SECONDS)
        except Stopped:
            say("\nStopping …")
            raise
        finally:
            supervisor.stop()


def _start(supervisor: Supervisor, options: argparse.Namespace) -> None:
    python = str(PYTHON)
    web = [python, "-m", "uvicorn", "helpdesk.asgi:application", "--no-access-log"]
    web += ["--lifespan", "off"]
    web += ["--host", options.host, "--port", str(options.port)]
    web += ["--timeout-graceful-shutdown", "2"]  # live streams never end by themselves
    if options.debug:
        web += ["--reload"]  # of the rooms only: there are thousands of files in .venv
        for room in [ROOT / "helpdesk", *sorted(path.parent for path in ROOT.glob("*/apps.py"))]:
            web += ["--reload-dir", str(room)]
    celery = [python, "-m", "celery", "--app", "helpdesk"]
    schedule = str(VAR / "run" / "beat-schedule")
    supervisor.start("web", web)
    worker = ["worker", "--concurrency", "2", "--loglevel", "INFO"]
    alone = ["--without-gossip", "--without-mingle"]  # there is one worker: no one to talk to
    supervisor.start("worker", [*celery, *worker, *alone])
    supervisor.start("beat", [*celery, "beat", "--schedule", schedule, "--pidfile", ""])
    supervisor.start("fetcher", [python, "manage.py", "fetch_mail"])
    if supervisor.environment.get("MAIL_LISTEN_URL"):
        supervisor.start("listener", [python, "manage.py", "listen_mail"])


def _wait_until_ready(supervisor: Supervisor, options: argparse.Namespace) -> None:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(options.host, options.host)  # noqa: S104
    url = f"http://{host}:{options.port}/healthz"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + READY_SECONDS
    while True:
        supervisor.check()
        try:
            with opener.open(url, timeout=5):
                return
        except (OSError, urllib.error.HTTPError) as error:
            if time.monotonic() > deadline:
                log = (VAR / "log" / "web.log").relative_to(ROOT)
                raise Failure(
                    f"The web server did not answer {url} within {READY_SECONDS} s ({error}); "
                    f"its log is {log}."
                ) from error
        time.sleep(0.1)


def _prepare_database(variables: dict[str, str]) -> str:
    """Migrate and seed; returns what the demo company says about its log-ins."""
    log = VAR / "log" / "prepare.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "launcher.prepare"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout
            assert process.stderr
            errors = []
            for line in process.stderr:
                file.write(line)
                errors.append(line)
                if line.rstrip().endswith("…"):
                    say(line.rstrip())
            answer = process.stdout.read()
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
    if process.returncode:
        raise Failure(
            f"The database could not be prepared: {last_line(''.join(errors))}; "
            f"the whole message is in {log.relative_to(ROOT)}."
        )
    return answer


def _is_migrated(running: servers.Services) -> bool:
    """Whether our own database was brought up to date by the migrations that are here now."""
    try:
        return MIGRATED.read_text() == _migrations() and "DATABASE_URL" in running.environment
    except OSError:
        return False


def _note_migrations(running: servers.Services) -> None:
    if "DATABASE_URL" in running.environment:
        MIGRATED.write_text(_migrations())


def _migrations() -> str:
    return "\n".join(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("*/migrations/*.py")))


def _greet(base_url: str, log_ins: str, variables: dict[str, str], *, seconds: float) -> None:
    lines = ["", f"The helpdesk is up at {base_url} (after {seconds:.1f} s).", ""]
    if log_ins.strip():
        lines += ["Log in as", *(f"  {line}" for line in log_ins.strip().splitlines())]
    else:
        lines += ["Make the first administrator with: bin/manage createsuperuser"]
    lines += ["", f"Customers write at      {base_url}/"]
    if "CAUGHT_MAIL_DIR" in variables:
        lines += [f"Mail is caught, read it {base_url}/mail/"]
    lines += ["Logs                    var/log/", "", "Ctrl-C stops everything.", ""]
    print("\n".join(lines), flush=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with opened(VAR / "run" / "running.lock") as lock:
        if not try_alone(lock):
            where = environment.running_base_url()
            raise Failure(f"It runs already in this folder{f', at {where}' if where else ''}.")
        yield


def _refuse_taken_port(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, OverflowError) as error:
        raise Failure(f"{host}:{port} is not an address that can be listened on.") from error
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise Failure(
                f"Port {port} is reserved for root; choose one above 1023 with --port."
            ) from error
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise Failure(f"{host} is not an address of this machine.") from error
            raise Failure(
                f"Port {port} is taken by another program; stop that or choose another port, "
                f"such as bin/run --port {port + 1 if port < 65535 else 8000}."
            ) from error
