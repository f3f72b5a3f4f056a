"""The first step: appends a file's records to the raw table, unchanged and once.

Belongs here: the landing of files. One file is one batch and one commit. The hash of its content is
the batch's id and the transaction, so that the same content is loaded once, whatever its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.ingest.files.open_file import ReadPosition, content_hash, read_records
from social_assets.ingest.records import RECORDS, FileError
from social_assets.lake.delta import Applied
from social_assets.lake.schemas import RAW
from social_assets.pipeline.landing_folder import LandingDateError, check_landing_date
from social_assets.pipeline.landing_progress import watched
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.unload_requests import FileBatch, batch_of
from social_assets.transform.duckdb_engine import MEMORY_VARIABLE, Session, is_of_disk
from social_assets.transform.event_dates import EventDates


@dataclass(frozen=True)
class LandedFile:
    """A file in the raw table; `already` if an earlier load has landed it."""

    batch_id: str
    path: Path
    already: bool


def land_file(
    stores: StreamStores,
    session: Session,
    path: Path,
    landing_date: date | None = None,
    batch: FileBatch | None = None,
) -> LandedFile:
    """Land a file's records under their event dates.

    The caller must hold the stream's lock, and must enter the landed records in the ledger
    (`ledger_counts.reconcile`). `landing_date` (default: today) is the date of records without one.
    `batch` is the batch to land the file as, if the caller has chosen one. Raises FileError, and
    writes nothing, if the file cannot be read to its end.
    """
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
    lander = _Lander(stores.contract, path.name, batch_id, timestamp, arrived)
    position = ReadPosition()
    read = read_records(stores.contract, path, session.json_records, position)
    records = watched(path, read, position)
    try:
        _append(stores, lander.raw_batches(session, records), batch_id)
    except duckdb.OutOfMemoryException as error:
        if is_of_disk(error):
            raise
        told = f"the engine has no memory for one of its records ({str(error).splitlines()[0]})"
        raise FileError(path, f"{told}; raise {MEMORY_VARIABLE}") from error
    return LandedFile(batch_id, path, already=False)


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
    reader = pa.RecordBatchReader.from_batches(RAW, chain([first], batches))
    stores.raw.append(reader, Applied(batch_id, 1, is_once=True))


@dataclass(frozen=True)
class _Lander:
    """The values that all records of one file share."""

    contract: Contract
    origin: str
    batch_id: str
    timestamp: datetime
    arrival: datetime

    def raw_batches(
        self, session: Session, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Records with provenance and event date, as rows of the raw table."""
        dates = EventDates(session, self.contract) if self.contract.event_time else None
        for records in batches:
            columns = self._columns(records)
            if dates is not None:
                columns["event_date"] = dates.of(_block(columns)).combine_chunks()
            yield pa.record_batch([columns[name] for name in RAW.names], schema=RAW)

    def _columns(self, records: pa.RecordBatch) -> dict[str, pa.Array]:
        count = records.num_rows
        constant = {
            "source": "file",
            "origin": self.origin,
            "partition": 0,
            "timestamp": self.timestamp,
            "ingested_at": self.arrival,
            "batch_id": self.batch_id,
            "event_date": self.timestamp.date(),
            "key": None,
            "headers": None,
        }
        repeated = {
            name: pa.repeat(pa.scalar(value, RAW.field(name).type), count)
            for name, value in constant.items()
        }
        return {**repeated, **{name: records.column(name) for name in RECORDS.names}}


def _block(columns: dict[str, pa.Array]) -> pa.Table:
    """The columns that EventDates reads, times in UTC without zone."""
    return pa.table(
        {
            "record_bytes": columns["value"],
            "csv_header": columns["csv_header"],
            "offset": columns["offset"],
            "timestamp": columns["timestamp"].cast(pa.timestamp("us")),
            "ingested_at": columns["ingested_at"].cast(pa.timestamp("us")),
        }
    )
