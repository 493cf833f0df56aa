"""Runs one of the commands of `bin/`: `python launcher COMMAND ARGUMENTS…`."""

import sys
from pathlib import Path

# Started as a folder, Python puts that folder itself first; the package lies one above it.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from launcher.commands import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
