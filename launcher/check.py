"""`bin/check`: everything that can be said about the code without running it for a person."""

import argparse
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from launcher import bootstrap, environment
from launcher.paths import PYTHON, ROOT

AT_ONCE = max(2, os.cpu_count() or 2)


@dataclass(frozen=True)
class Step:
    """One check: what it holds, the Python module that checks it, and its arguments."""

    name: str
    title: str
    command: tuple[str, ...]
    as_in_production: bool = False


STEPS = (
    # The slowest first, so that the others fill the time beside it.
    Step("types", "Types hold (mypy, strict)", ("mypy", ".")),
    Step("lint", "No lint (ruff)", ("ruff", "check", ".")),
    Step("format", "Formatted (ruff)", ("ruff", "format", "--check", "--quiet", ".")),
    Step("rooms", "Rooms know only those below (import-linter)", ("checks.rooms",)),
    Step("templates", "Templates are sound (djlint)", ("djlint", "templates", "--lint", "--quiet")),
    Step("inline", "No inline script or style", ("checks.inline",)),
    Step("locks", "Lock files hold what is asked for", ("checks.locks",)),
    Step("catalogues", "Translations are complete", ("checks.catalogues",)),
    Step("migrations", "Migrations match the models", ("manage", "makemigrations", "--check")),
    Step(
        "deploy",
        "Production settings are safe",
        ("manage", "check", "--deploy", "--fail-level", "WARNING"),
        as_in_production=True,
    ),
)


@dataclass(frozen=True)
class Result:
    """How a step ended."""

    step: Step
    code: int
    output: str
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Run the chosen steps, or all, to their end; 1 when any failed."""
    parser = argparse.ArgumentParser(prog="bin/check", description="Check the code.")
    names = [step.name for step in STEPS]
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(names)}")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.steps) - set(names))
    if unknown:
        parser.error(f"there is no step {unknown[0]}; the steps are {', '.join(names)}")
    bootstrap.prepare(development=True)
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chosen = [step for step in STEPS if not options.steps or step.name in options.steps]
        for future in as_completed([pool.submit(_run, step) for step in chosen]):
            result = future.result()
            print(_line(result), flush=True)
            if result.code:
                failed.append(result)
    for result in failed:
        print(f"\n— {result.step.title} —\n{result.output.strip()}")
    return 1 if failed else 0


def _run(step: Step) -> Result:
    started = time.monotonic()
    variables = (
        environment.for_production_checks() if step.as_in_production else environment.for_checking()
    )
    done = subprocess.run(
        [str(PYTHON), "-m", *step.command],
        cwd=ROOT,
        env={**variables, "DJANGO_SETTINGS_MODULE": "helpdesk.settings"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Result(step, done.returncode, done.stdout, time.monotonic() - started)


def _line(result: Result) -> str:
    mark = "FAILED" if result.code else "ok"
    return f"{mark:<8}{result.step.title:<48}{result.seconds:>6.1f} s"
