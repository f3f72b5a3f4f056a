"""The content of a stream's tables: counts for the invariant, rows for comparisons."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from social_assets.lake.delta import LakeTable
from social_assets.pipeline.stores import StreamStores


@dataclass(frozen=True)
class Counts:
    raw: int
    cleaned: int
    duplicates: int
    rejected: int
    warehouse: int


def counts(stores: StreamStores) -> Counts:
    """Rows by layer. Fails if the invariant does not hold for a day."""
    raw = stores.raw.rows_by_day()
    cleaned = stores.cleaned.rows_by_day()
    duplicates = stores.quarantine.rows_by_day(verdict="duplicate")
    rejected = stores.quarantine.rows_by_day(verdict="rejected")
    warehouse = stores.loader.rows_by_day()
    for day, rows in raw.items():
        accounted = sum(layer.get(day, 0) for layer in (cleaned, duplicates, rejected))
        assert accounted == rows, f"{day}: {rows} raw, {accounted} accounted for"
    assert {day: n for day, n in cleaned.items() if n} == warehouse
    return Counts(
        *(sum(d.values()) for d in (raw, cleaned, duplicates, rejected, warehouse)),
    )


def contents(stores: StreamStores) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every table, in order, without arrival time."""
    found = {
        name: _rows(table)
        for name, table in (
            ("raw", stores.raw),
            ("cleaned", stores.cleaned),
            ("quarantine", stores.quarantine),
        )
    }
    with stores.stores.clickhouse.client() as client:
        rows = client.query(
            f"SELECT * EXCEPT ingested_at FROM {stores.loader.table} "
            "ORDER BY batch_id, partition, offset"
        ).named_results()
        # A column that was added later stands last.
        listed = [tuple(str(row[name]) for name in sorted(row)) for row in rows]
    return {**found, "warehouse": listed}


def _rows(table: LakeTable) -> list[tuple[object, ...]]:
    rows: pa.Table = table.read()
    names = sorted(set(rows.column_names) - {"ingested_at"})
    ordered = rows.select(names).sort_by([(n, "ascending") for n in ("batch_id", "offset")])
    return [tuple(map(str, row.values())) for row in ordered.to_pylist()]
