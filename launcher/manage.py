"""`bin/manage`: Django's commands, with the services of `bin/run`."""

import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

from launcher import bootstrap, environment, servers
from launcher.paths import PYTHON, ROOT


def main(arguments: Sequence[str]) -> int:
    """Run `manage.py` with these arguments and return its exit code."""
    bootstrap.prepare(development=False)
    signal.signal(signal.SIGTERM, _interrupt)
    with servers.for_running() as running:
        variables = environment.for_running(
            running,
            base_url=environment.running_base_url() or "http://localhost:8000",
            hosts=environment.hosts_of("localhost"),
        )
        return run_to_its_end([str(PYTHON), str(ROOT / "manage.py"), *arguments], variables)


def run_to_its_end(command: Sequence[str], variables: dict[str, str]) -> int:
    """Run a program at the terminal and return its exit code.

    Ctrl-C reaches the program as well as us; it decides what to do about it. SIGTERM is passed on.
    """
    with subprocess.Popen(command, env=variables) as process:
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                continue
            except Terminated:
                process.terminate()
                continue
            return code if code >= 0 else 128 - code


class Terminated(BaseException):
    """Someone sent SIGTERM."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Terminated
