"""A folder as a newcomer has it after the clone, with what the network would give already there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from launcher.paths import ROOT

COPIED = ("bin", "launcher", "requirements", "package.json", "package-lock.json")
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "BASE_URL", "ENVIRONMENT", "DEBUG")
NOT_INHERITED += ("PYTHONPYCACHEPREFIX",)  # which would keep what is compiled of these folders


@pytest.fixture(autouse=True)
def _private_files() -> None:
    """Nothing here uses the files of the whole test suite."""


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Nothing here uses the cache of the whole test suite."""


class Checkout:
    """A clone in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, root / name)
        self.programs = root.parent / "programs"
        self.programs.mkdir(exist_ok=True)
        self.calls = root.parent / "calls"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key not in NOT_INHERITED},
            "HELPDESK_PYTHON": sys.executable,
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
        }

    def program(self, path: Path | str, script: str) -> Path:
        """A program of this machine: a shell script that notes that it was called."""
        place = self.programs / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f'#!/bin/sh\necho "{place.name} $*" >> "{self.calls}"\n{script}\n')
        place.chmod(0o755)
        return place

    def called(self) -> list[str]:
        """The calls of its programs since this was last asked."""
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return calls

    def have_venv(self) -> None:
        """A virtual environment made by hand, with the packages of the one that runs the tests."""
        python = self.root / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (self.root / ".venv" / "lib").symlink_to(Path(sys.prefix) / "lib")

    def have_downloads(self) -> None:
        """An installer and an npm that succeed at once, without a network."""
        self.have_venv()
        self.program(self.root / ".venv" / "bin" / "uv", "exit 0")
        self.program("node", "echo v22.1.0")
        files = {
            "htmx.org/dist": "htmx.min.js",
            "idiomorph/dist": "idiomorph-ext.min.js",
            "trix/dist": "trix.esm.min.js",
            "@fontsource-variable/inter/files": "inter-latin-wght-normal.woff2",
        }
        lines = [
            f'mkdir -p "node_modules/{folder}" && echo x > "node_modules/{folder}/{name}"'
            for folder, name in files.items()
        ]
        font = "node_modules/@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2"
        source_map = "node_modules/trix/dist/trix.esm.min.js.map"
        more = [f"echo x > {name}" for name in (font, source_map)]
        self.program("npm", "\n".join([*lines, *more]))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder to its end."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def prepare(self) -> subprocess.CompletedProcess[str]:
        """What every command of `bin/` does first."""
        return self.run(
            sys.executable,
            "-c",
            "from launcher import bootstrap; bootstrap.prepare(development=False)",
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's own user can reach; those of pytest are closed to it."""
    with TemporaryDirectory(prefix="helpdesk-test-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def checkout(folder: Path) -> Checkout:
    return Checkout(folder / "helpdesk")


@pytest.fixture(scope="module")
def shared_checkout() -> Iterator[Checkout]:
    """One folder for several tests, because making a database takes its second."""
    with TemporaryDirectory(prefix="helpdesk-test-", ignore_cleanup_errors=True) as path:
        checkout = Checkout(Path(path) / "helpdesk")
        checkout.have_downloads()
        checkout.prepare()
        yield checkout


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def assert_one_sentence() -> Callable[[subprocess.CompletedProcess[str], str], None]:
    """The command failed with one clear sentence and nothing else."""

    def check(done: subprocess.CompletedProcess[str], sentence: str) -> None:
        lines = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
        assert len(lines) == 1, done.stderr
        assert sentence in lines[0]
        assert lines[0].endswith(".")
        assert done.returncode == 1

    return check
