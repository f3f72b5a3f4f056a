"""The ledger of batches: the records that each step took, by batch and event date.

Belongs here: the record that operators read, and that tells which batches are pending. It is
derived: all its rows can be counted from the tables, and are counted again after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable

Step = Literal["raw", "cleaned"]
"""The step that an entry counts, by its table. The ledger's column for it is named `hop`."""

BATCH_PREFIX = "kafka/"
"""How the ids of a topic's micro-batches begin; those of files are hashes."""

PAGES_PREFIX = "pages/"
"""How the ids of micro-batches of collected pages begin."""

MICRO_BATCH_PREFIXES = (BATCH_PREFIX, PAGES_PREFIX)
MICRO_BATCH_SOURCES = ("kafka", "pages")
"""The `source` of records that land in micro-batches."""

LEDGER = pa.schema(
    [
        pa.field("batch_id", pa.string(), nullable=False),
        pa.field("event_date", pa.date32(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("records", pa.int64(), nullable=False),
        pa.field("duplicates", pa.int64(), nullable=False),
        pa.field("rejected", pa.int64(), nullable=False),
        pa.field("recorded_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("hop", pa.string(), nullable=False),
    ]
)
"""`records` is how many records the step wrote: landed for `raw`, accepted for `cleaned`. Of
several rows of one batch, date and step the latest is valid: a rebuild counts again. An unloaded
batch has 0."""


@dataclass(frozen=True)
class Entry:
    """The records that one step took from one batch on one event date."""

    batch_id: str
    event_date: date
    origin: str
    records: int
    duplicates: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Ledger:
    """The ledger of one stream, a Delta table with the columns of LEDGER."""

    table: LakeTable

    def entries(self, step: Step) -> list[Entry]:
        """The latest entry of every batch and date, oldest batch first."""
        rows = self.table.read().filter(pc.field("hop") == step).sort_by("recorded_at")
        names = [n for n in LEDGER.names if n not in ("hop", "recorded_at")]
        columns = [rows[name].to_pylist() for name in names]
        latest = {(values[0], values[1]): values for values in zip(*columns, strict=True)}
        return [Entry(*values) for values in latest.values()]

    def days(self, step: Step) -> dict[str, set[date]]:
        """The event dates of every batch that the step has taken, without unloaded batches."""
        found: dict[str, set[date]] = {}
        for entry in self.entries(step):
            if entry.records + entry.duplicates + entry.rejected == 0:
                continue
            found.setdefault(entry.batch_id, set()).add(entry.event_date)
        return found

    def first_recorded(self, batch_id: str) -> datetime | None:
        """When a batch was first recorded; None if it never was."""
        rows = self.table.read().filter(pc.field("batch_id") == batch_id)
        found: datetime | None = pc.min(rows["recorded_at"]).as_py()
        return found

    def record(self, step: Step, entries: Iterable[Entry]) -> None:
        """Record what a step took, in this order. Repeating it adds equal rows, which change
        nothing.
        """
        listed = list(entries)
        if not listed:
            return
        now = datetime.now(UTC)
        rows = pa.table(
            {
                "batch_id": [e.batch_id for e in listed],
                "event_date": [e.event_date for e in listed],
                "origin": [e.origin for e in listed],
                "records": [e.records for e in listed],
                "duplicates": [e.duplicates for e in listed],
                "rejected": [e.rejected for e in listed],
                # One microsecond apart: batches are cleaned in this order, the order of landing.
                "recorded_at": [now + timedelta(microseconds=n) for n in range(len(listed))],
                "hop": [step] * len(listed),
            },
            schema=LEDGER,
        )
        self.table.append(rows.to_reader(), Applied(f"{step}:{listed[0].batch_id}", 1))
