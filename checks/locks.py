"""The lock files hold what `pyproject.toml` and `package.json` ask for.

`python -m checks.locks` needs no network; `python -m launcher.lock` and `npm install` mend what it
finds.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def python_faults(project: Mapping[str, Any], locks: Mapping[str, str]) -> Iterator[str]:
    """What a lock file (by name: base, embedded, dev, …) lacks of the project's dependencies."""
    base = project["project"]["dependencies"]
    groups = project["dependency-groups"]
    wanted = {
        "base": base,
        "embedded": base + _flat("embedded", groups),
        "dev": base + _flat("dev", groups),
        "node": _flat("node", groups),
        "uv": _flat("bootstrap", groups),
    }
    for name, requirements in wanted.items():
        locked = {
            canonicalize_name(found[1]): found[2]
            for found in re.finditer(
                r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", locks[name], re.MULTILINE
            )
        }
        for requirement in map(Requirement, requirements):
            version = locked.get(canonicalize_name(requirement.name))
            if version is None:
                yield f"requirements/{name}.txt lacks {requirement}"
            elif not requirement.specifier.contains(version, prereleases=True):
                yield f"requirements/{name}.txt has {requirement.name} {version}, not {requirement}"


def browser_faults(package: Mapping[str, Any], lock: Mapping[str, Any]) -> Iterator[str]:
    """What `package-lock.json` lacks of `package.json`."""
    root = lock["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        if package.get(kind, {}) != root.get(kind, {}):
            yield f"package-lock.json was made from other {kind} than package.json names"


def _flat(group: str, groups: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for entry in groups[group]:
        found += [entry] if isinstance(entry, str) else _flat(entry["include-group"], groups)
    return found


def main() -> int:
    """Check the lock files of this project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locks = {path.stem: path.read_text() for path in (ROOT / "requirements").glob("*.txt")}
    package = json.loads((ROOT / "package.json").read_text())
    package_lock = json.loads((ROOT / "package-lock.json").read_text())
    found = [*python_faults(project, locks), *browser_faults(package, package_lock)]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
