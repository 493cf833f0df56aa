"""Writes the lock files anew from `pyproject.toml`, for the maintainer who changes a dependency.

`python -m launcher.lock` takes up what `pyproject.toml` asks for and leaves other versions alone;
`python -m launcher.lock --upgrade` brings all to their newest.
"""

import subprocess
import sys
from collections.abc import Sequence

from launcher.paths import REQUIREMENTS, ROOT, VENV

# Each name is a group in pyproject.toml; the larger sets come first and hold the smaller to theirs.
SETS = {
    "dev": ["pyproject.toml", "--group", "dev"],
    "embedded": ["pyproject.toml", "--group", "embedded", "--constraints", "requirements/dev.txt"],
    "base": ["pyproject.toml", "--constraints", "requirements/dev.txt"],
    "node": ["--group", "node"],
    "uv": ["--group", "bootstrap"],
}


def lock(options: Sequence[str]) -> None:
    """Resolve each set for all platforms and Python from 3.11 on, with hashes, not addresses."""
    for name, sources in SETS.items():
        command = [str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", "--no-header"]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-annotate", *sources, *options]
        output = REQUIREMENTS / f"{name}.txt"
        subprocess.run([*command, "--output-file", str(output)], cwd=ROOT, check=True)


if __name__ == "__main__":
    lock(sys.argv[1:])
