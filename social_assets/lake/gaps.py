"""Offset ranges of a topic that can no longer be read. They are recorded, never ignored.

Belongs here: only the record. The reader of the topic finds these ranges.
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
"""`end` is excluded, and null if it cannot be known. An acknowledged range has a second row."""


@dataclass(frozen=True)
class MissingRange:
    """Offsets of one partition that the broker had deleted before they were read."""

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
        """Record ranges, except those that are recorded already, after a crash."""
        known = set(self.all())
        self._append(
            [each for each in dict.fromkeys(ranges) if each not in known], is_acknowledged=False
        )

    def acknowledge(self) -> list[MissingRange]:
        """Acknowledge all ranges so far; returns those that were not acknowledged."""
        found = self.unacknowledged()
        self._append(found, is_acknowledged=True)
        return found

    def all(self) -> list[MissingRange]:
        """Every missing range, oldest first."""
        return self._ranges(is_acknowledged=False)

    def unacknowledged(self) -> list[MissingRange]:
        """The missing ranges that are not acknowledged, oldest first."""
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
