"""How far the log files are shipped, and the batch that is being inserted.

Belongs here: the file that has it. It is replaced as a whole, twice a batch: with the batch before
the insert, and with the positions after it. So the shipper knows after a kill exactly which bytes
the batch had, and repeats it under its token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from resources.machine.file_locks import write_atomically


@dataclass(frozen=True)
class Range:
    """Whole lines of a file, from a position to another."""

    file: str
    key: str
    begin: int
    end: int


@dataclass(frozen=True)
class Batch:
    """What one insert has."""

    token: str
    ranges: Sequence[Range]


@dataclass(frozen=True)
class ShippedPositions:
    """By the key of each file, the position up to which it is in ClickHouse."""

    shipped: Mapping[str, int] = field(default_factory=dict)
    batch: Batch | None = None

    def after(self, batch: Batch) -> ShippedPositions:
        """The positions when the batch is inserted."""
        ends = {each.key: each.end for each in batch.ranges}
        return ShippedPositions({**self.shipped, **ends})


def read_positions(path: Path) -> ShippedPositions:
    """The positions of a home; of none if the file is missing.

    A file that is damaged raises ValueError: to begin anew would double the lines that are left.
    """
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return ShippedPositions()
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged ({error}); remove it to ship the lines that are left again"
        ) from error
    batch = found.get("batch")
    return ShippedPositions(
        {str(key): int(value) for key, value in found["shipped"].items()},
        Batch(batch["token"], tuple(Range(**each) for each in batch["ranges"])) if batch else None,
    )


def write_positions(path: Path, positions: ShippedPositions) -> None:
    """Replace the file."""
    write_atomically(path, json.dumps(asdict(positions)))
