"""`bin/test`: all tests, with everything that they need."""

import os
import signal
import time
from collections.abc import Sequence

from launcher import bootstrap, chromium, environment, servers
from launcher.failure import Failure
from launcher.locks import opened, try_alone
from launcher.manage import run_to_its_end
from launcher.paths import PYTHON, ROOT, VAR
from launcher.progress import say

MOST_WORKERS = 8
# Compiled once for all workers, all processes and all runs: compiling takes seconds of each. Apart
# from the sources, also where these are to be left clean.
COMPILED = {
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(VAR / "test" / "compiled"),
}
CHOOSES_WORKERS = ("-n", "--numprocesses", "--pdb", "--trace", "--dist")


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments and return its exit code."""
    bootstrap.prepare(development=True)
    os.chdir(ROOT)
    browser = _browser(required=not arguments)
    started = time.monotonic()
    with opened(VAR / "test" / "run" / "testing.lock") as lock:
        if not try_alone(lock):
            raise Failure("Tests run already in this folder; wait for them to end.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with servers.for_testing() as running:
            variables = environment.for_testing(running) | COMPILED
            if browser:
                variables["CHROMIUM"] = browser
            command = [str(PYTHON), "-m", "pytest", "-p", "launcher.one_redis_each"]
            command += [*_workers(arguments), *arguments]
            code = run_to_its_end(command, variables)
    say(f"bin/test took {time.monotonic() - started:.0f} s.")
    return code


def _browser(*, required: bool) -> str | None:
    try:
        return chromium.get()
    except Failure as failure:
        if required:
            raise
        say(f"bin/test: {failure}")  # a chosen part of the tests may need no browser
        return None


def _workers(arguments: Sequence[str]) -> list[str]:
    if any(argument.startswith(CHOOSES_WORKERS) for argument in arguments):
        return []
    workers = min(max(2, os.cpu_count() or 2), MOST_WORKERS)
    return ["--numprocesses", str(workers), "--dist", "worksteal"]
