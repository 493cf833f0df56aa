"""`bin/bench`: the measurements of `bench/`, on services of their own."""

import os
import signal
from collections.abc import Sequence

from launcher import bootstrap, environment, servers
from launcher.failure import Failure
from launcher.locks import opened, try_alone
from launcher.manage import run_to_its_end
from launcher.paths import PYTHON, ROOT, VAR


def main(arguments: Sequence[str]) -> int:
    """Run `python -m bench` with these arguments and return its exit code."""
    bootstrap.prepare(development=True)
    os.chdir(ROOT)
    with opened(VAR / "bench" / "run" / "measuring.lock") as lock:
        if not try_alone(lock):
            raise Failure("Measurements run already in this folder; wait for them to end.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with servers.for_measuring() as running:
            variables = environment.for_running(
                running, base_url="http://localhost:8000", hosts=["localhost", "testserver"]
            )
            return run_to_its_end([str(PYTHON), "-m", "bench", *arguments], variables)
