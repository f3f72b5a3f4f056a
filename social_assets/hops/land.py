"""The first hop: a file's records into the raw table, verbatim, once.

Here belongs the landing of batch files. One file is one batch and one commit; its content hash is
the batch's id and the transaction, so that the same file under any name is one load.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path

import pyarrow as pa

from social_assets.contracts.contract import Contract
from social_assets.engine.clean_records import event_dates
from social_assets.engine.duckdb_engine import Session
from social_assets.hops.account import reconcile
from social_assets.hops.stores import StreamStores
from social_assets.lake.delta import Applied
from social_assets.lake.schemas import RAW
from social_assets.sources.files import content_hash, read_records
from social_assets.sources.records import RECORDS


@dataclass(frozen=True)
class Landed:
    """A file in the raw table. `already` says that an earlier load had brought it."""

    batch_id: str
    path: Path
    already: bool


def land_file(stores: StreamStores, path: Path, landing_date: date | None = None) -> Landed:
    """Land a file's records under their event dates; the stream's lock is held by the caller.

    `landing_date` (today by default) is the date of records that carry none. Raises FileError and
    leaves nothing behind if the file cannot be read to its end.
    """
    batch_id = content_hash(path)
    if stores.raw.applied_version(batch_id) is not None:
        reconcile(stores)
        return Landed(batch_id, path, already=True)
    arrival = datetime.now(UTC)
    timestamp = datetime.combine(landing_date or arrival.date(), time(), UTC)
    with stores.engine.session() as session:
        batches = (
            _raw_batch(session, stores.contract, batch, path, batch_id, timestamp, arrival)
            for batch in read_records(stores.contract, path, session.json_records)
        )
        first = next(batches, None)
        if first is not None:
            reader = pa.RecordBatchReader.from_batches(RAW, chain([first], batches))
            stores.raw.append(reader, Applied(batch_id, 1))
    reconcile(stores)
    return Landed(batch_id, path, already=False)


def _raw_batch(
    session: Session,
    contract: Contract,
    records: pa.RecordBatch,
    path: Path,
    batch_id: str,
    timestamp: datetime,
    arrival: datetime,
) -> pa.RecordBatch:
    count = records.num_rows
    columns = {
        **{name: records.column(name) for name in RECORDS.names},
        "key": pa.nulls(count, pa.binary()),
        "headers": pa.nulls(count, RAW.field("headers").type),
        "source": pa.repeat("file", count),
        "origin": pa.repeat(path.name, count),
        "partition": pa.repeat(pa.scalar(0, pa.int32()), count),
        "timestamp": pa.repeat(pa.scalar(timestamp, RAW.field("timestamp").type), count),
        "ingested_at": pa.repeat(pa.scalar(arrival, RAW.field("ingested_at").type), count),
        "batch_id": pa.repeat(batch_id, count),
    }
    if contract.event_time is None:
        columns["event_date"] = pa.repeat(pa.scalar(timestamp.date(), pa.date32()), count)
    else:
        columns["event_date"] = event_dates(session, _table(columns), contract).combine_chunks()
    return pa.record_batch([columns[name] for name in RAW.names], schema=RAW)


def _table(columns: dict[str, pa.Array]) -> pa.Table:
    names = ("value", "csv_header", "offset", "timestamp", "ingested_at")
    return pa.table({name: columns[name] for name in names})
