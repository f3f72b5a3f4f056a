"""Requests to unload batches, and whether they are done.

Belongs here: only the record. A request takes effect when it is recorded. If another batch replaces
the unloaded one, it takes effect when that batch is in raw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa

from social_assets.lake.delta import LakeTable

UNLOADS = pa.schema(
    [
        pa.field("batch_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("days", pa.list_(pa.date32()), nullable=False),
        pa.field("replaced_by", pa.string(), nullable=False),
        pa.field("is_done", pa.bool_(), nullable=False),
        pa.field("noted_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


@dataclass(frozen=True)
class Unload:
    """A batch to unload: its file, its event dates, and the batch that replaces it, "" if none."""

    batch_id: str
    origin: str
    days: frozenset[date]
    replaced_by: str = ""


@dataclass(frozen=True)
class Unloads:
    """The requests of one stream, a Delta table with the columns of UNLOADS."""

    table: LakeTable

    def request(self, unloads: Iterable[Unload]) -> None:
        """Record requests, in one commit."""
        self._append(unloads, is_done=False)

    def done(self, unloads: Iterable[Unload]) -> None:
        """Record that requests are done, in one commit."""
        self._append(unloads, is_done=True)

    def requested(self) -> list[Unload]:
        """Every request, done or not, oldest first."""
        return self._unloads(is_done=False)

    def done_at(self) -> dict[str, datetime]:
        """The unloaded batches, and when each was unloaded."""
        rows = self.table.read().sort_by("noted_at")
        return {r["batch_id"]: r["noted_at"] for r in rows.to_pylist() if r["is_done"]}

    def _unloads(self, *, is_done: bool) -> list[Unload]:
        rows = self.table.read().sort_by("noted_at").to_pylist()
        return [
            Unload(row["batch_id"], row["origin"], frozenset(row["days"]), row["replaced_by"])
            for row in rows
            if row["is_done"] == is_done
        ]

    def _append(self, unloads: Iterable[Unload], *, is_done: bool) -> None:
        now = datetime.now(UTC)
        rows = [
            {**vars(each), "days": sorted(each.days), "is_done": is_done, "noted_at": now}
            for each in unloads
        ]
        if rows:
            self.table.append(pa.Table.from_pylist(rows, UNLOADS))
