"""Sets a batch aside that cannot be cleaned, so that the stream goes on without it.

Here belongs which errors are the batch's own, and which batches are quarantined. A service that is
away or a disk that is full is no fault of a batch: such errors are raised. A quarantined batch is
never cleaned by a load again: a rebuild of its days takes it in, whole days at a time, so that
nothing of it is lost or doubled, whatever was done when it failed.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow as pa

from social_assets.lake.quarantined_batches import QuarantinedBatch
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import is_of_disk
from social_assets.transform.validate_block import RecordTooLargeError

_OF_THE_BATCH = (
    RecordTooLargeError,
    duckdb.OutOfMemoryException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
    pa.ArrowInvalid,
    pa.ArrowNotImplementedError,
    OverflowError,
)


def is_of_the_batch(error: Exception) -> bool:
    """Whether the same batch would fail in the same way again."""
    is_disk = isinstance(error, duckdb.Error) and is_of_disk(error)
    return isinstance(error, _OF_THE_BATCH) and not is_disk


def set_aside(
    stores: StreamStores, batch_id: str, error: Exception, origins: Collection[str] = ()
) -> QuarantinedBatch:
    """Record that a batch is quarantined, and why; `origins` are the ledger's by default."""
    origins = origins or {e.origin for e in stores.ledger.entries("raw") if e.batch_id == batch_id}
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:1_000]}"
    batch = QuarantinedBatch(batch_id, ", ".join(sorted(origins)), reason)
    stores.quarantined_batches.record(batch)
    return batch


def quarantined(stores: StreamStores) -> dict[str, QuarantinedBatch]:
    """The batches that are quarantined now, by id."""
    recorded = stores.quarantined_batches.all()
    if not recorded:
        return {}
    landed, cleaned = stores.ledger.days("raw"), stores.ledger.days("cleaned")
    return {
        batch_id: batch
        for batch_id, batch in recorded.items()
        if cleaned.get(batch_id) != landed.get(batch_id)
    }
