"""Unloads batches: deletes their rows from raw, then rebuilds their days without them.

Belongs here: the work in the lake and on `cleaned.<stream>`. The caller rebuilds facts, dimensions
and rollups of the days, and then records that the batches are unloaded (`unloads.done`). Repeating
a step changes nothing, so after a crash the next call completes the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.ledger import Entry
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.lake.unloads import Unload
from social_assets.pipeline.files.unload_requests import pending
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import make_anew, recover

PART_ROWS = 131_072


def unload_pending(stores: StreamStores) -> list[Unload]:
    """Remove the batches of all pending requests from lake and `cleaned.<stream>`; returns them.

    The caller must hold the stream's lock.
    """
    unloads = pending(stores)
    if not unloads:
        return []
    days = sorted({day for each in unloads for day in each.days})
    # Recover the other batches first: one that is half done would be inserted again after the swap.
    recover(stores, leave=frozenset(days))
    with StepLog(stores).step("unload", f"{days[0]} to {days[-1]}"):
        _delete_from_raw(stores, [each.batch_id for each in unloads], days)
    gone = [
        Entry(each.batch_id, day, each.origin, records=0)
        for each in unloads
        for day in sorted(each.days)
    ]
    stores.ledger.record("raw", gone)
    stores.ledger.record("cleaned", gone)
    make_anew(stores, days)
    return unloads


def _delete_from_raw(stores: StreamStores, batch_ids: Sequence[str], days: Sequence[date]) -> None:
    """Delete in one commit. Reads parts of bounded bytes, because Delta's delete holds 8,192
    records at once, whatever their size.
    """
    gone = pa.array(batch_ids, pa.string())
    parts = read_parts(
        stores.raw,
        row_groups(stores.raw, days),
        stores.raw.schema.names,
        part_bytes=stores.engine.part_bytes,
        part_rows=PART_ROWS,
    )

    def kept() -> Iterator[pa.RecordBatch]:
        for part in parts:
            rows = part.filter(pc.invert(pc.is_in(part["batch_id"], gone)))
            yield from rows.to_batches()

    stores.raw.replace(days, pa.RecordBatchReader.from_batches(stores.raw.schema, kept()))
