"""The third step: inserts cleaned rows of the lake into the warehouse's `cleaned.<stream>`.

Belongs here: what is read, in parts if a day is too large for the engine's memory. How it enters
ClickHouse belongs to `warehouse.loader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.row_groups import RowGroup, read_parts, row_groups
from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.clean import Slice, slices
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import is_of_disk
from social_assets.warehouse.loader import rows_for_warehouse

PART_ROWS = 32_768
_ORDER = ("event_date", "partition", "offset")


def load_batch(stores: StreamStores, batch_id: str, days: Sequence[date]) -> int:
    """Insert the accepted rows of a batch; returns how many. Repeating it changes nothing."""

    def insert(cut: Sequence[Slice]) -> int:
        rows = (batch for each in cut for batch in _of_batch(stores, batch_id, each))
        reader = pa.RecordBatchReader.from_batches(_schema(stores), rows)
        return stores.loader.insert(batch_id, reader)

    try:
        return insert(slices(stores.cleaned, sorted(days), stores.engine, batch_id))
    except duckdb.OutOfMemoryException as error:
        if is_of_disk(error):
            raise
        # The chunks are the same as before: those that were inserted change nothing.
        return insert(_all_in_parts(days))


def load_days(stores: StreamStores, days: Sequence[date]) -> None:
    """Replace the warehouse's rows of some days by those of the lake."""

    def replace(cut: Sequence[Slice]) -> None:
        rows = (batch for each in cut for batch in _of_days(stores, each))
        reader = pa.RecordBatchReader.from_batches(_schema(stores), rows)
        stores.loader.replace_days(days, reader)

    try:
        replace(slices(stores.cleaned, sorted(days), stores.engine))
    except duckdb.OutOfMemoryException as error:
        if is_of_disk(error):
            raise
        replace(_all_in_parts(days))


def _all_in_parts(days: Sequence[date]) -> list[Slice]:
    return [Slice((day,), in_parts=True) for day in sorted(days)]


def _of_batch(stores: StreamStores, batch_id: str, each: Slice) -> Iterator[pa.RecordBatch]:
    """The rows of a batch, always in the same order, since insert tokens number the chunks."""
    if each.in_parts:
        yield from _ordered_parts(stores, batch_id, each.days)
        return
    with stores.engine.session() as session:
        schema = cleaned_schema(stores.contract)
        columns = rows_for_warehouse(stores.contract)
        rows = session.scan(stores.cleaned.files(each.days), schema, columns)
        of_batch = rows.filter(rows.batch_id == session.constant(batch_id))
        yield from session.stream(of_batch.order_by(*_ORDER), _schema(stores))


def _of_days(stores: StreamStores, each: Slice) -> Iterator[pa.RecordBatch]:
    if each.in_parts:
        groups = row_groups(stores.cleaned, each.days)
        yield from _parts(stores, groups, _schema(stores).names)
        return
    with stores.engine.session() as session:
        columns = rows_for_warehouse(stores.contract)
        rows = session.scan(
            stores.cleaned.files(each.days), cleaned_schema(stores.contract), columns
        )
        yield from session.stream(rows, _schema(stores))


def _ordered_parts(
    stores: StreamStores, batch_id: str, days: Sequence[date]
) -> Iterator[pa.RecordBatch]:
    """The rows of a batch in order, without sorting wide rows: row group by row group if these are
    in order, as they are written; or else range by range of the order, each read again.
    """
    names = _schema(stores).names
    for day in days:
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
            continue
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
                for batch in _parts(stores, groups, names, batch_id)
            ]
            together = pa.Table.from_batches(found, _schema(stores))
            yield from together.sort_by("offset").to_batches()


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
