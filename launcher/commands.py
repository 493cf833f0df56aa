"""The commands of `bin/`, by name, and how a failure of any of them looks."""

import importlib
import sys
from collections.abc import Sequence

from launcher.failure import Failure

COMMANDS = ("run", "test", "check", "bench", "manage")


def main(arguments: Sequence[str]) -> int:
    """Run the named command and return its exit code; a `Failure` is one sentence on stderr."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"launcher: one of {', '.join(COMMANDS)} is needed.", file=sys.stderr)
        return 2
    name = arguments[0]
    command = importlib.import_module(f"launcher.{name}")
    try:
        return int(command.main(list(arguments[1:])))
    except Failure as failure:
        print(f"bin/{name}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
