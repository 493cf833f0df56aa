"""What a service notes about itself for later starts: its process, its port, its password."""

import json
from pathlib import Path

Value = int | str


class State:
    """A small JSON file; a missing or damaged one is an empty one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def text(self, key: str) -> str:
        """The noted text, or an empty one."""
        return str(self._all().get(key, ""))

    def number(self, key: str) -> int:
        """The noted number, or 0."""
        value = self._all().get(key, 0)
        return value if isinstance(value, int) else 0

    def write(self, **values: Value) -> None:
        """Note these values and no others; a reader never sees half of them."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        written = self.path.with_suffix(".part")
        written.write_text(json.dumps(values))
        written.chmod(0o600)
        written.replace(self.path)

    def forget(self) -> None:
        """Drop what was noted."""
        self.path.unlink(missing_ok=True)

    def _all(self) -> dict[str, Value]:
        try:
            found = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
