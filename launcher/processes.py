"""Looking at and ending processes that the launcher started, now or at an earlier start."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether the process runs; a dead child that nobody collected does not, nor does number 0."""
    if pid <= 0:
        return False
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass  # started by an earlier launcher
    return is_known(pid) and not _is_zombie(pid)


def is_known(pid: int) -> bool:
    """Whether the system knows the number, be it of a dead process that nobody collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def command_line(pid: int) -> str:
    """The command that the process was started with, or nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        command = ["ps", "-p", str(pid), "-o", "command="]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def wait_until(
    condition: Callable[[], bool], *, seconds: float, step_seconds: float = 0.05
) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step_seconds)
    return True


def end(pid: int, *, seconds: float = 5) -> None:
    """Ask a process to stop, and kill it when it does not in time."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(pid), seconds=seconds):
            return


def end_with_parent() -> None:
    """In a fresh child: be asked to stop when the launcher dies, even by kill -9 (Linux only)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
