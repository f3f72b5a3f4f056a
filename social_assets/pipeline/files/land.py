"""The first step: appends a file's records to the raw table, unchanged and once.

Belongs here: the landing of files. One file is one batch and one commit. The hash of its content is
the batch's id and the transaction, so that the same content is loaded once, whatever its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path

import pyarrow as pa

from social_assets.ingest.files.open_file import content_hash, read_records
from social_assets.ingest.records import RECORDS, FileChangedError, FileError, ReadPosition
from social_assets.lake.delta import Applied
from social_assets.lake.schemas import ELEMENT
from social_assets.pipeline.files.file_errors import blaming, of_validation
from social_assets.pipeline.files.landing_folder import LandingDateError, check_landing_date
from social_assets.pipeline.files.landing_progress import watched
from social_assets.pipeline.files.unfinished_files import Seen
from social_assets.pipeline.files.unload_requests import FileBatch, batch_of
from social_assets.pipeline.prefetch import prefetch
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import Session

Validate = Callable[[pa.Table], pa.Table]
"""Validates a block with the columns of RAW; returns it with all event dates."""


@dataclass(frozen=True)
class LandedFile:
    """A file in the raw table; `already` if an earlier load has landed it.

    `notes` are what its reader has to say of the file, sentences for the load's report.
    """

    batch_id: str
    path: Path
    already: bool
    notes: tuple[str, ...] = ()


def land_file(
    stores: StreamStores,
    session: Session,
    path: Path,
    *,
    validate: Validate,
    landing_date: date | None = None,
    batch: FileBatch | None = None,
) -> LandedFile:
    """Land a file's records under their event dates, which `validate` finds.

    The caller must hold the stream's lock, and must enter the landed records in the ledger
    (`ledger_counts`). `landing_date` (default: today) is the date of records without one. `batch`
    is the batch to land the file as, if the caller has chosen one. Raises FileError, and writes
    nothing, if the file cannot be read to its end or a record cannot be validated.
    """
    seen = Seen.of(path)
    batch = batch or batch_of(stores, content_hash(path))
    batch_id = batch.batch_id
    if batch.is_landed:
        return LandedFile(batch_id, path, already=True)
    if landing_date is not None:
        try:
            check_landing_date(landing_date)
        except LandingDateError as error:
            raise FileError(path, str(error)) from error
    arrived = arrival(stores)
    timestamp = datetime.combine(landing_date or arrived.date(), time(), UTC)
    provenance = Provenance(path.name, batch_id, timestamp, arrived)
    position = ReadPosition()
    read = read_records(stores.contract, path, session.json_records, position)
    records = watched(path, blaming(path, read), position)
    try:
        with prefetch(records) as batches:
            unchanged = _unchanged(path, seen, batches)
            blocks = (validate(provenance.block(each, stores.raw.schema)) for each in unchanged)
            _append(
                stores,
                (b for block in blocks for b in block.cast(stores.raw.schema).to_batches()),
                batch_id,
            )
    except Exception as error:
        told = of_validation(path, error)
        if told is None or told is error:
            raise
        # Without its traceback, whose frames hold the records in the engine's memory.
        raise told from error.with_traceback(None)
    return LandedFile(batch_id, path, already=False, notes=tuple(position.notes))


def _unchanged(
    path: Path, seen: Seen | None, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The same batches. Raises FileChangedError at their end, before they are committed, if the
    file is no longer as it was `seen`.
    """
    yield from batches
    # A file that was deleted meanwhile has been read to its end.
    if (now := Seen.of(path)) is not None and now != seen:
        raise FileChangedError(path)


def arrival(stores: StreamStores) -> datetime:
    """The current time, or a later one if records with that time have landed already.

    The order of these times decides which record of a key is the first, and each of them identifies
    one micro-batch, so it must increase even if the clock goes back.
    """
    latest = stores.raw.latest("ingested_at")
    now = datetime.now(UTC)
    # Delta's statistics cut times to milliseconds: the latest may be up to one millisecond later.
    return now if latest is None else max(now, latest + timedelta(milliseconds=1))


def _append(stores: StreamStores, batches: Iterator[pa.RecordBatch], batch_id: str) -> None:
    """Commit all batches at once; no commit if there are none."""
    first = next(batches, None)
    if first is None:
        return
    reader = pa.RecordBatchReader.from_batches(stores.raw.schema, chain([first], batches))
    stores.raw.append(reader, Applied(batch_id, 1, is_once=True))


@dataclass(frozen=True)
class Provenance:
    """The values that all records of one file share."""

    origin: str
    batch_id: str
    timestamp: datetime
    arrival: datetime

    def block(self, records: pa.RecordBatch, raw: pa.Schema) -> pa.Table:
        """Records as rows of the raw table, which has the columns `raw`, without event dates."""
        count = records.num_rows
        constant = {
            "source": "file",
            "origin": self.origin,
            "partition": 0,
            "timestamp": self.timestamp,
            "ingested_at": self.arrival,
            "batch_id": self.batch_id,
            "event_date": None,
            "key": None,
            "headers": None,
            ELEMENT.name: None,
        }
        schema = pa.schema([field.with_nullable(True) for field in raw])
        columns = [
            records.column(field.name)
            if field.name in RECORDS.names
            else pa.repeat(pa.scalar(constant[field.name], field.type), count)
            for field in schema
        ]
        return pa.table(columns, schema=schema)
