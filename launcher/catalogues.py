"""Compiles the translation catalogues where GNU gettext is not installed.

Run by the Python of `.venv`: `python -m launcher.catalogues`.
"""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from launcher.paths import LOCALE


def compile_catalogues(folder: Path = LOCALE) -> list[Path]:
    """Write a `.mo` beside each `.po` under `folder`, without fuzzy messages; return them."""
    compiled = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
        target = source.with_suffix(".mo")
        unfinished = target.with_suffix(".mo.part")
        with unfinished.open("wb") as file:
            write_mo(file, catalogue)
        unfinished.replace(target)  # a running server never reads half a catalogue
        compiled.append(target)
    return compiled


if __name__ == "__main__":
    try:
        compile_catalogues()
    except PoFileError as error:
        sys.exit(f"error: {error}")
