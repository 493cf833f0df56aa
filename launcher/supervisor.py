"""Child processes that belong together: started, watched, and stopped as one."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launcher.failure import Failure
from launcher.paths import ROOT
from launcher.processes import end_with_parent

KEPT_LOG_BYTES = 5 * 1024 * 1024
TAIL_LINES = 15


@dataclass
class Child:
    """One running program, its log, and where in the log this run begins."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int


class Supervisor:
    """Starts programs in process groups of their own and stops them all, each with its children."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self.environment = environment
        self.logs = logs
        self.children: list[Child] = []

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a program; what it says goes into its own log."""
        log = self.logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > KEPT_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as file:
            log_start = file.tell()
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**self.environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the launcher only, which stops in order
                preexec_fn=end_with_parent,
            )
        self.children.append(Child(name, process, log, log_start))

    def check(self) -> None:
        """Raise `Failure`, with its last words, when a program has ended by itself."""
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
                raise Failure(f"{child.name} {how}; the end of its log:\n{tail(child)}")

    def stop(self, *, seconds: float = 12) -> None:
        """Ask all to stop, latest first, wait, and kill what is left."""
        for child in reversed(self.children):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        try:
            for child in self.children:
                child.process.wait(max(0.1, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass  # too slow, or a second Ctrl-C
        for child in self.children:
            _signal(child, signal.SIGKILL)  # also what a dead program left in its group
            child.process.wait()


def tail(child: Child) -> str:
    """The last lines that a program wrote in this run."""
    with child.log.open("rb") as file:
        file.seek(child.log_start)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) or "  (it said nothing)"


def _signal(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:  # macOS, for a group of zombies
        pass
