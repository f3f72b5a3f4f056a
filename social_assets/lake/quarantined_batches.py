"""Batches that could not be cleaned, with the reason and the time.

Belongs here: only the record. A batch is quarantined while it is recorded here and the ledger does
not say that all of its days are cleaned. Raw keeps its records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from social_assets.lake.delta import LakeTable

QUARANTINED_BATCHES = pa.schema(
    [
        pa.field("batch_id", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("noted_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


@dataclass(frozen=True)
class QuarantinedBatch:
    """A batch with its id and file, and the error of its cleaning."""

    batch_id: str
    origin: str
    reason: str


@dataclass(frozen=True)
class QuarantinedBatches:
    """The quarantined batches of one stream: a Delta table with the columns of this module."""

    table: LakeTable

    def record(self, batch: QuarantinedBatch) -> None:
        """Add a batch."""
        row = {**vars(batch), "noted_at": datetime.now(UTC)}
        self.table.append(pa.Table.from_pylist([row], QUARANTINED_BATCHES))

    def all(self) -> dict[str, QuarantinedBatch]:
        """Every batch that was ever recorded, by id, with its latest reason."""
        rows = self.table.read().sort_by("noted_at").drop_columns(["noted_at"]).to_pylist()
        return {row["batch_id"]: QuarantinedBatch(**row) for row in rows}
