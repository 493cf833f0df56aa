from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `floor` is what the barest possible program took in the same run, in the
    same unit; `target` is the most that `bound` may be."""

    suite: str
    name: str
    value: float
    unit: str
    floor: float | None = None
    target: float | None = None
    bound: Literal["ratio", "value"] = "ratio"

    @property
    def ratio(self) -> float | None:
        return round(self.value / self.floor, 2) if self.floor else None

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; nothing where there is none."""
        measured = self.ratio if self.bound == "ratio" else self.value
        return None if self.target is None or measured is None else measured <= self.target

    def as_json(self) -> str:
        row = asdict(self) | {"ratio": self.ratio, "holds": self.holds}
        return json.dumps({key: _rounded(value) for key, value in row.items()})


def as_table(figures: list[Figure]) -> str:
    """The figures for people: one line each, columns aligned."""
    head = ("suite", "name", "value", "floor", "ratio", "target", "holds")
    rows = [head] + [
        (
            figure.suite,
            figure.name,
            f"{_rounded(figure.value)} {figure.unit}",
            "" if figure.floor is None else f"{_rounded(figure.floor)} {figure.unit}",
            "" if figure.ratio is None else f"{figure.ratio:.2f}×",
            ""
            if figure.target is None
            else f"≤ {figure.target:g}{'×' if figure.bound == 'ratio' else ''}",
            {None: "", True: "yes", False: "NO"}[figure.holds],
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
