"""A figure of a benchmark with its target, as a line of a table and in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """A measured value. `target` is its upper bound, or its lower bound if not `is_upper`;
    None: no target.
    """

    part: str
    name: str
    value: float
    unit: str
    target: float | None = None
    is_upper: bool = True

    @property
    def is_met(self) -> bool:
        """Whether the value is within its target."""
        if self.target is None:
            return True
        return self.value <= self.target if self.is_upper else self.value >= self.target

    def line(self) -> str:
        """The figure as a line of text."""
        target = ""
        if self.target is not None:
            sign, result = "<>"[not self.is_upper] + "=", "met" if self.is_met else "MISSED"
            target = f"  target {sign} {self.target:,g} {self.unit}: {result}"
        text = f"{self.value:,.0f}" if self.value >= 1000 else f"{self.value:,.2f}"
        return f"{self.part:10} {self.name:42} {text:>12} {self.unit:9}{target}"


def write_json(path: Path, figures: Sequence[Figure]) -> None:
    """Write all figures to a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{**asdict(figure), "is_met": figure.is_met} for figure in figures]
    path.write_text(json.dumps(listed, indent=1) + "\n")
