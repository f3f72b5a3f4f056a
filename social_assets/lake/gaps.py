"""Ranges of a topic that can't be read any more: recorded, never passed over in silence.

Here belongs the record alone; what makes a range unreadable is found where the topic is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import LakeTable

GAPS = pa.schema(
    [
        pa.field("topic", pa.string(), nullable=False),
        pa.field("topic_id", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("noted_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("is_acknowledged", pa.bool_(), nullable=False),
    ]
)
"""`start` to `end`, which is not among them; `end` is null where nobody can know it. A range that
somebody has dealt with is there a second time, acknowledged."""


@dataclass(frozen=True)
class MissingRange:
    """Offsets of one partition that the broker did not have any more when they were due."""

    topic: str
    topic_id: str
    partition: int
    start: int
    end: int | None
    reason: str

    def __str__(self) -> str:
        until = "?" if self.end is None else str(self.end)
        return f"{self.topic}[{self.partition}] offsets {self.start} to {until}: {self.reason}"


@dataclass(frozen=True)
class Gaps:
    """The missing ranges of one stream, a Delta table with the columns of GAPS."""

    table: LakeTable

    def record(self, ranges: Iterable[MissingRange]) -> None:
        """Add ranges; one that is recorded already, because a crash came between, is left out."""
        known = set(self.all())
        self._append(
            [each for each in dict.fromkeys(ranges) if each not in known], is_acknowledged=False
        )

    def acknowledge(self) -> list[MissingRange]:
        """Note that somebody has dealt with all ranges so far; returns those that were open."""
        found = self.unacknowledged()
        self._append(found, is_acknowledged=True)
        return found

    def all(self) -> list[MissingRange]:
        """Every missing range, oldest first."""
        return self._ranges(is_acknowledged=False)

    def unacknowledged(self) -> list[MissingRange]:
        """The missing ranges that nobody has dealt with, oldest first."""
        dealt_with = set(self._ranges(is_acknowledged=True))
        return [each for each in self.all() if each not in dealt_with]

    def _append(self, ranges: list[MissingRange], *, is_acknowledged: bool) -> None:
        if not ranges:
            return
        said = {"noted_at": datetime.now(UTC), "is_acknowledged": is_acknowledged}
        rows = [{**vars(each), **said} for each in ranges]
        self.table.append(pa.Table.from_pylist(rows, GAPS))

    def _ranges(self, *, is_acknowledged: bool) -> list[MissingRange]:
        rows = self.table.read().sort_by("noted_at")
        chosen = rows.filter(pc.equal(rows["is_acknowledged"], is_acknowledged))
        values = chosen.drop_columns(["noted_at", "is_acknowledged"]).to_pylist()
        return [MissingRange(**row) for row in values]
