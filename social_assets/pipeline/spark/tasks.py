"""What executors do: validate parts of raw, then find duplicates and write files.

Belongs here: the two functions that Spark maps over Arrow batches. They use the validation, the
deduplication and the writer that a rebuild on one machine uses, so that a record has the same
result on both, to the byte. Between them Spark moves rows: all rows of a day and key come to one
bucket. Rows travel as Arrow's own stream in a binary column, so that Spark converts no value.

Duplicates within a part are found before the rows travel: a key that has most records of a stream
sends one row a part.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction
from numpy.typing import NDArray

from social_assets.lake.row_groups import RowGroup, read_parts
from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.clean import BLOCK_ROWS, done_offsets
from social_assets.pipeline.quarantined_batches import is_of_the_batch
from social_assets.pipeline.spark.job import SparkJob, unpacked
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.records import Counts, ValidatedRecords, validation
from social_assets.pipeline.validation.rows import input_columns
from social_assets.pipeline.validation.spilled_rows import SpilledRows
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.first_landed import FirstLanded
from social_assets.transform.landed_keys import KEY_HASH, KEY_HASH_TYPE, halves

EXCHANGED = pa.schema(
    [
        pa.field("part", pa.int32()),
        pa.field("bucket", pa.int32()),
        pa.field("payload", pa.binary()),
    ]
)
"""What travels. `bucket` is NO_BUCKET if the payload is a result for the driver."""
NO_BUCKET = -1
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class Written:
    """What a task tells the driver: the files that it wrote, and how many records it counted."""

    cleaned: Sequence[AddAction] = ()
    quarantine: Sequence[AddAction] = ()
    counts: Sequence[Counts] = ()
    repeated: Mapping[tuple[str, date], int] | None = None
    """Duplicates of records of other parts, by batch and day."""
    error: str = ""
    """Why the records cannot be validated, if they are the cause."""


class Buckets(NamedTuple):
    """How the rows of each day are divided by their keys."""

    days: Sequence[date]
    first: Sequence[int]
    """The first bucket of each day."""
    each: Sequence[int]
    """How many buckets each day has."""

    def of(self, rows: pa.Table) -> NDArray[np.int64]:
        """The bucket of each row, which has `event_date` and KEY_HASH."""
        days = pc.index_in(rows["event_date"], pa.array(self.days, pa.date32()))
        day = days.to_numpy()
        _, low = halves(rows[KEY_HASH])
        count = np.array(self.each, np.uint64)[day]
        found: NDArray[np.int64] = np.array(self.first)[day] + (low % count).astype(np.int64)
        return found


def validate_parts(
    job: bytes,
    parts: Sequence[Sequence[RowGroup]],
    buckets: Buckets,
    numbers: Iterable[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """The first step. `numbers` names parts by their place; the rows are accepted ones by bucket.

    Rejected records, and duplicates of records of the same part, are in quarantine's files.
    """
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            try:
                yield from _validated(unpacked(job), number, parts[number], buckets)
            except Exception as error:
                if not is_of_the_batch(error):
                    raise
                yield _told(number, Written(error=f"{type(error).__name__}: {error}"))


def _validated(
    job: SparkJob, number: int, part: Sequence[RowGroup], buckets: Buckets
) -> Iterator[pa.RecordBatch]:
    stores = job.stores()
    columns = input_columns(stores.contract)
    size = stores.engine.part_bytes
    blocks = read_parts(
        stores.raw,
        part,
        columns,
        part_bytes=size,
        part_rows=BLOCK_ROWS,
        batch_id=job.batch_id,
    )
    kept = _kept(job, stores, {group.event_date for group in part})
    with (
        stores.engine.session() as session,
        validation(stores, session, job.validator(session), with_keys=True) as records,
    ):
        for rows in map(kept, blocks):
            if rows.num_rows:
                records.add(rows)
        validated = records.finished(is_rebuild=True)
        for rows in validated.cleaned():
            yield from _divided(number, pa.Table.from_batches([rows]), buckets)
        files = stores.quarantine.rows_written(validated.quarantine())
        yield _told(number, Written(quarantine=files, counts=validated.counts))


def _kept(
    job: SparkJob, stores: StreamStores, days: Collection[date]
) -> Callable[[pa.Table], pa.Table]:
    """What takes the records out of a block that the job leaves out."""
    column, values = "batch_id", pa.array(sorted(job.without), pa.string())
    if job.batch_id is not None and job.is_begun:
        column, values = "offset", done_offsets(stores, sorted(days), job.batch_id)
    if not len(values):
        return lambda block: block
    return lambda block: block.filter(pc.invert(pc.is_in(block[column], values)))


def _divided(number: int, rows: pa.Table, buckets: Buckets) -> Iterator[pa.RecordBatch]:
    """The rows, in their order, by bucket."""
    places = buckets.of(rows)
    order = np.argsort(places, kind="stable")
    found, begins = np.unique(places[order], return_index=True)
    ends = np.append(begins[1:], len(order))
    for bucket, begin, end in zip(found.tolist(), begins.tolist(), ends.tolist(), strict=True):
        yield _exchanged(number, bucket, _packed(rows.take(pa.array(order[begin:end]))))


def write_buckets(job: bytes, exchanged: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The second step: rows sorted by bucket and part, as `validate_parts` sent them."""
    rows = (row for batch in exchanged for row in _payloads(batch))
    for bucket, of_bucket in groupby(rows, key=lambda row: row[0]):
        payloads = (payload for _, payload in of_bucket)
        if bucket == NO_BUCKET:
            for payload in payloads:
                yield _exchanged(0, NO_BUCKET, payload)
        else:
            yield _told(0, _written(unpacked(job), payloads))


def _payloads(batch: pa.RecordBatch) -> Iterator[tuple[int, bytes]]:
    """One payload at a time: they are large."""
    for row in range(batch.num_rows):
        yield batch.column(1)[row].as_py(), batch.column(2)[row].as_py()


def _written(job: SparkJob, payloads: Iterable[bytes]) -> Written:
    """Files with the first record of each key, and with the duplicates."""
    stores = job.stores()
    schema = cleaned_schema(stores.contract).append(pa.field(KEY_HASH, KEY_HASH_TYPE))
    folder = stores.engine.spill_folder()
    with (
        stores.engine.session() as session,
        closing(SpilledRows(folder, schema)) as accepted,
        closing(SpilledRows(folder, stores.quarantine.schema)) as rejected,
    ):
        keys = FirstLanded(session)
        days = set[date]()
        for rows in _blocks(payloads):
            days.update(rows["event_date"].unique().to_pylist())
            keys.add(rows)
            accepted.add(rows)
        accepted.finish()
        rejected.finish()
        if job.batch_id is not None:
            _add_landed(stores, session, keys, days)
        repeated = keys.repeated()
        found = ValidatedRecords([], [], schema, accepted, rejected, repeated)
        first = (rows.select(stores.cleaned.schema.names) for rows in found.cleaned())
        return Written(
            stores.cleaned.rows_written(first),
            stores.quarantine.rows_written(found.quarantine()) if repeated.counts else (),
            repeated=dict(repeated.counts),
        )


def _blocks(payloads: Iterable[bytes]) -> Iterator[pa.Table]:
    """The rows in their order, some payloads at a time: of many parts, each has few rows."""
    waiting: list[pa.Table] = []
    missing = BLOCK_ROWS
    for payload in payloads:
        waiting.append(pa.ipc.open_stream(payload).read_all())
        missing -= waiting[-1].num_rows
        if missing <= 0:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, missing = [], BLOCK_ROWS
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _add_landed(
    stores: StreamStores, session: Session, keys: FirstLanded, days: Collection[date]
) -> None:
    """Add the keys of what was cleaned before; the driver holds the stream's lock meanwhile."""
    files = stores.cleaned.files(days)
    if files:
        columns = ["event_date", *stores.contract.key]
        rows = session.scan(files, stores.cleaned.schema, columns)
        keys.add_landed(rows, stores.contract)


def _packed(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_COMPRESSED) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def _told(number: int, written: Written) -> pa.RecordBatch:
    return _exchanged(number, NO_BUCKET, pickle.dumps(written))


def _exchanged(number: int, bucket: int, payload: bytes) -> pa.RecordBatch:
    arrays = [pa.array([number], pa.int32()), pa.array([bucket], pa.int32()), pa.array([payload])]
    return pa.RecordBatch.from_arrays(arrays, schema=EXCHANGED)
