"""Rooms know only what they may: the contracts of import-linter in `pyproject.toml`.

`python -m checks.rooms`, because import-linter itself can only be run by its script, which stops
working when the virtual environment is moved.
"""

import sys

from importlinter.cli import lint_imports

if __name__ == "__main__":
    sys.exit(lint_imports(no_cache=True, no_logo=True))
