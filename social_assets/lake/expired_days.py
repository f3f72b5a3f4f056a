"""The days that retention has removed, by table, so that no check reports them as lost.

Belongs here: only the record. It is written before the rows are removed. After a crash between the
two, these days are not validated until the next night removes them; they never look lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import LakeTable

EXPIRED_DAYS = pa.schema(
    [
        pa.field("asset", pa.string(), nullable=False),
        pa.field("event_date", pa.date32(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("retired_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""`asset` is the key of the table's asset, `raw/posts`. A day has a row for each time that it was
removed: late rows may arrive after the first time."""


class ExpiredDaysError(ValueError):
    """Days cannot be rebuilt because retention has removed their source: they would be emptied."""

    def __init__(self, source: str, days: Collection[date]) -> None:
        first, last = min(days).isoformat(), max(days).isoformat()
        which = f"{first} is" if first == last else f"{len(days)} days of {first} to {last} are"
        super().__init__(
            f"{which} gone from {source} by the retention of its contract, and can't be made "
            f"again: what is built from them would be emptied. Backfill other days; see "
            f"`social-assets backfill --dry-run`"
        )


@dataclass(frozen=True)
class ExpiredDays:
    """The expired days of all tables, a Delta table with the columns of EXPIRED_DAYS."""

    table: LakeTable

    def record(self, asset: str, rows_by_day: Mapping[date, int]) -> None:
        """Record expired days of one table, with the number of rows that they had."""
        if not rows_by_day:
            return
        now = datetime.now(UTC)
        rows = [
            {"asset": asset, "event_date": day, "rows": count, "retired_at": now}
            for day, count in sorted(rows_by_day.items())
        ]
        self.table.append(pa.Table.from_pylist(rows, EXPIRED_DAYS))

    def days(self, *assets: str) -> set[date]:
        """The days that any of these tables has lost to retention."""
        rows = self.table.read()
        named = rows.filter(pc.is_in(rows["asset"], pa.array(assets, pa.string())))
        return set(named["event_date"].to_pylist())

    def refuse(self, sources: Iterable[str], days: Collection[date]) -> None:
        """Raise ExpiredDaysError if one of these tables has lost one of the days."""
        for source in sources:
            gone = self.days(source).intersection(days)
            if gone:
                raise ExpiredDaysError(source, gone)
