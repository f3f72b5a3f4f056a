"""Quarantines a batch that cannot be cleaned, so that the stream continues without it.

Belongs here: which errors the batch itself causes, and which batches are quarantined. Other errors,
such as a missing service or a full disk, are raised. Loads never clean a quarantined batch again.
A rebuild of its days includes it: it replaces whole days, so that no record is lost or doubled,
whatever was done before the batch failed.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow as pa

from social_assets.lake.quarantined_batches import QuarantinedBatch
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import is_of_disk
from social_assets.transform.validate_block import RecordTooLargeError


class UnvalidatedBatchError(RuntimeError):
    """An executor of Spark cannot validate records of a batch; the text is that of its error."""


_OF_THE_BATCH = (
    RecordTooLargeError,
    UnvalidatedBatchError,
    duckdb.OutOfMemoryException,
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.NotSupportedError,
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    pa.ArrowNotImplementedError,
    OverflowError,
    RecursionError,
    UnicodeError,
)


def is_of_the_batch(error: Exception) -> bool:
    """Whether the batch itself causes the error, so that it would fail again."""
    is_disk = isinstance(error, duckdb.Error) and is_of_disk(error)
    return isinstance(error, _OF_THE_BATCH) and not is_disk


def quarantine_batch(
    stores: StreamStores,
    batch_id: str,
    error: Exception,
    step: str,
    origins: Collection[str] = (),
) -> None:
    """Record and log that a batch is quarantined, and why; `origins` are the ledger's by default.

    `step` is the one that failed.
    """
    origins = origins or {e.origin for e in stores.ledger.entries("raw") if e.batch_id == batch_id}
    reason = f"{type(error).__name__}: {' '.join(str(error).split())[:1_000]}"
    batch = QuarantinedBatch(batch_id, ", ".join(sorted(origins)), reason)
    stores.quarantined_batches.record(batch)
    told = "%s is quarantined: %s; the stream continues without it"
    how = {"step": step, "batch_id": batch_id}
    StepLog(stores).error(told, batch.origin, batch.reason, extra=how)


def quarantined(stores: StreamStores) -> dict[str, QuarantinedBatch]:
    """The quarantined batches by id, without those that a rebuild has cleaned since."""
    recorded = stores.quarantined_batches.all()
    if not recorded:
        return {}
    landed, cleaned = stores.ledger.days("raw"), stores.ledger.days("cleaned")
    return {
        batch_id: batch
        for batch_id, batch in recorded.items()
        if cleaned.get(batch_id) != landed.get(batch_id)
    }
