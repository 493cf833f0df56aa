"""`bin/bench [SUITE…]`: measure, print a JSON line for each figure and a table of them all."""

from __future__ import annotations

import io
import logging
import os
import sys
from importlib import import_module

SUITES = ("main", "workspace", "live", "mail")


def main(arguments: list[str]) -> int:
    """Run the named suites, or all. Returns 1 when a target is missed, 2 for an unknown suite."""
    suites = arguments or list(SUITES)
    unknown = [name for name in suites if name not in SUITES]
    if unknown:
        print(
            f"There is no suite {', '.join(unknown)}; there is {', '.join(SUITES)}.",
            file=sys.stderr,
        )
        return 2

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    import django

    django.setup()
    _log_into_nothing()
    from bench.report import Figure, as_table

    figures: list[Figure] = []
    for name in suites:
        for figure in import_module(f"bench.{name}").figures():
            print(figure.as_json(), flush=True)
            figures.append(figure)
    print()
    print(as_table(figures))
    return 1 if any(figure.holds is False for figure in figures) else 0


def _log_into_nothing() -> None:
    """Lines are made as always, for their making is part of a request; nobody reads them here."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(io.StringIO())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
