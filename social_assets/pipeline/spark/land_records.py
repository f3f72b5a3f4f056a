"""What executors do with a micro-batch of Kafka's records: they make rows and write files of raw.

Belongs here: the function that Spark maps over Arrow batches. The rows are those that a drain on
one machine makes. Records that raw has already are left out, so that a micro-batch that Spark gives
twice lands once.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake.transaction import AddAction

from social_assets.ingest.kafka.records import KAFKA_RECORDS, named_once
from social_assets.pipeline.quarantined_batches import is_of_the_batch
from social_assets.pipeline.spark.job import unpacked
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.cut_records import CutCounts, cut_records
from social_assets.pipeline.topics.raw_rows import raw_rows
from social_assets.pipeline.validation.rows import with_days, with_event_dates
from social_assets.transform.validate_block import EventDates

LANDED = pa.schema([pa.field("payload", pa.binary())])
"""What travels to the driver."""
_CUT_ROWS, _CUT_BYTES = 65_536, 32 << 20


@dataclass(frozen=True)
class LandingJob:
    """A micro-batch to land: `job` is a packed SparkJob, `held` the offsets that raw has."""

    job: bytes
    batch_id: str
    arrival: datetime
    held: Mapping[int, int]


@dataclass
class LandedPart:
    """What a task tells the driver: its files, and what is in them."""

    files: Sequence[AddAction] = ()
    days: Counter[date] = field(default_factory=Counter)
    next_offsets: dict[int, int] = field(default_factory=dict)
    oldest: datetime | None = None
    cut: CutCounts | None = None


def land_records(packed: bytes, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Write files of raw; the batches have the columns of KAFKA_RECORDS as Spark has them."""
    landing: LandingJob = pickle.loads(packed)  # noqa: S301 - of our driver, as the task itself
    stores = unpacked(landing.job).stores()
    part = LandedPart()
    with stores.engine.session() as session:
        dates = EventDates(session, stores.contract)
        rows = _rows(stores, landing, dates, batches, part)
        part.files = stores.raw.rows_written(rows)
    yield pa.record_batch([pa.array([pickle.dumps(part)], pa.binary())], schema=LANDED)


def _rows(
    stores: StreamStores,
    landing: LandingJob,
    dates: EventDates,
    batches: Iterable[pa.RecordBatch],
    part: LandedPart,
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        records = _new(_kafka_records(batch), landing.held)
        if not records.num_rows:
            continue
        _note_offsets(records, part)
        for few in _cut(stores, records, part):
            rows = _dated(raw_rows(stores, few, landing.batch_id, landing.arrival), dates)
            for found in rows["event_date"].value_counts().to_pylist():
                part.days[found["values"]] += found["counts"]
            yield from rows.cast(stores.raw.schema).to_batches()


def _kafka_records(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        _headers(batch.column("headers"))
        if field.name == "headers"
        else batch.column(field.name).cast(field.type)
        for field in KAFKA_RECORDS
    ]
    return pa.record_batch(columns, schema=KAFKA_RECORDS)


def _headers(column: pa.Array) -> pa.Array:
    kind = KAFKA_RECORDS.field("headers").type
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    found = (
        [(header["key"], header["value"]) for header in headers or ()]
        for headers in column.to_pylist()
    )
    return pa.array([list(named_once(headers)) or None for headers in found], kind)


def _new(records: pa.RecordBatch, held: Mapping[int, int]) -> pa.RecordBatch:
    """The records that raw does not have, in the order of partition and offset."""
    partitions, offsets = (records.column(n).to_numpy() for n in ("partition", "offset"))
    known, begins = sorted(held), [held[each] for each in sorted(held)]
    place = np.searchsorted(known, partitions)
    is_known = np.isin(partitions, known)
    is_held = np.zeros(len(offsets), bool)
    is_held[is_known] = offsets[is_known] < np.array(begins, np.int64)[place[is_known]]
    order = np.lexsort((offsets, partitions))
    return records.take(pa.array(order[~is_held[order]]))


def _note_offsets(records: pa.RecordBatch, part: LandedPart) -> None:
    grouped = pa.Table.from_batches([records]).group_by("partition").aggregate([("offset", "max")])
    for row in grouped.to_pylist():
        end = row["offset_max"] + 1
        part.next_offsets[row["partition"]] = max(end, part.next_offsets.get(row["partition"], 0))
    oldest = pc.min(records.column("timestamp")).as_py()
    part.oldest = min(filter(None, (oldest, part.oldest)), default=None)


def _cut(stores: StreamStores, records: pa.RecordBatch, part: LandedPart) -> Iterator[pa.Table]:
    if stores.contract.explode is None:
        yield pa.Table.from_batches([records])
        return
    for few in cut_records(records, stores.contract, _CUT_ROWS, _CUT_BYTES):
        part.cut = (part.cut or CutCounts()) + few.counts
        if few.rows.num_rows:
            yield few.rows


def _dated(raw: pa.Table, dates: EventDates) -> pa.Table:
    """The rows with event dates: those of their timestamps if the records can't be read, as
    validation will find, too.
    """
    try:
        return with_event_dates(raw, dates.of(raw))
    except Exception as error:
        if not is_of_the_batch(error):
            raise
        return with_days(raw, pc.coalesce(raw["event_date"], raw["timestamp"].cast(pa.date32())))
