"""The third step: inserts cleaned rows into the warehouse's `cleaned.<stream>`.

Belongs here: where the rows come from, and their order. How they enter ClickHouse belongs to
`warehouse.loader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.row_groups import RowGroup, read_parts, row_groups
from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.records import ValidatedRecords
from social_assets.warehouse.loader import rows_for_warehouse

PART_ROWS = 32_768
SORTED_BYTES = 128 << 20
"""The rows of a validated batch are sorted in memory up to this size."""


def load_validated(stores: StreamStores, batch_id: str, validated: ValidatedRecords) -> None:
    """Insert the accepted rows of a batch that was just cleaned, as `load_batch` would.

    They are not read from the lake again, unless they are too large to be sorted in memory.
    """
    if len(validated.days) > 1 and validated.accepted.size_bytes > SORTED_BYTES:
        load_batch(stores, batch_id, validated.days)
        return
    schema = _schema(stores)
    batches = (batch.select(schema.names) for batch in validated.cleaned())
    if len(validated.days) > 1:
        rows = pa.Table.from_batches(batches, schema)
        order = [("event_date", "ascending"), ("offset", "ascending")]
        batches = iter(rows.sort_by(order).to_batches())
    stores.loader.insert(batch_id, pa.RecordBatchReader.from_batches(schema, batches))


def load_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> None:
    """Insert the accepted rows of a batch from the lake. Repeating it changes nothing.

    The rows are always in the same order, by date and offset, since insert tokens number the
    chunks.
    """
    rows = (b for day in sorted(days) for b in _of_batch(stores, batch_id, day))
    stores.loader.insert(batch_id, pa.RecordBatchReader.from_batches(_schema(stores), rows))


def load_days(stores: StreamStores, days: Sequence[date]) -> None:
    """Replace the warehouse's rows of some days by those of the lake."""
    schema = _schema(stores)
    rows = _parts(stores, row_groups(stores.cleaned, days), schema.names)
    stores.loader.replace_days(days, pa.RecordBatchReader.from_batches(schema, rows))


def all_rows(stores: StreamStores) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """All rows of the lake that the warehouse holds, and their columns."""
    schema = _schema(stores)
    days = sorted(day for day, rows in stores.cleaned.rows_by_day().items() if rows)
    return schema, _parts(stores, row_groups(stores.cleaned, days), schema.names)


def _of_batch(stores: StreamStores, batch_id: str, day: date) -> Iterator[pa.RecordBatch]:
    """The rows of a batch in order, without sorting wide rows: row group by row group if these are
    in order, as they are written; or else range by range of the order, each read again.
    """
    names = _schema(stores).names
    positions: list[tuple[RowGroup, np.ndarray]] = []
    for group in row_groups(stores.cleaned, [day], batch_id):
        found = [b["offset"].to_numpy() for b in _parts(stores, [group], ["offset"], batch_id)]
        if found:
            positions.append((group, np.concatenate(found)))
    positions.sort(key=lambda each: each[1].min())
    groups = [group for group, _ in positions]
    offsets = np.concatenate([np.empty(0, np.int64), *(each for _, each in positions)])
    if (np.diff(offsets) > 0).all():
        yield from _parts(stores, groups, names, batch_id)
        return
    offsets.sort()
    widest = max(1, *(group.width for group in groups))
    at_once = max(1, stores.engine.part_bytes // widest)
    for start in range(0, len(offsets), at_once):
        first, last = offsets[start], offsets[min(start + at_once, len(offsets)) - 1]
        found = [
            batch.filter(
                pc.and_(
                    pc.greater_equal(batch["offset"], first),
                    pc.less_equal(batch["offset"], last),
                )
            )
            for batch in _parts(stores, _within(positions, first, last), names, batch_id)
        ]
        yield from pa.Table.from_batches(found, _schema(stores)).sort_by("offset").to_batches()


def _within(
    positions: Sequence[tuple[RowGroup, np.ndarray]], first: int, last: int
) -> list[RowGroup]:
    """The row groups with an offset of a range."""
    return [g for g, found in positions if ((found >= first) & (found <= last)).any()]


def _parts(
    stores: StreamStores,
    groups: Sequence[RowGroup],
    columns: Sequence[str],
    batch_id: str | None = None,
) -> Iterator[pa.RecordBatch]:
    for part in read_parts(
        stores.cleaned,
        groups,
        columns,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
        batch_id=batch_id,
    ):
        yield from part.to_batches()


def _schema(stores: StreamStores) -> pa.Schema:
    schema = cleaned_schema(stores.contract)
    return pa.schema([schema.field(name) for name in rows_for_warehouse(stores.contract)])
