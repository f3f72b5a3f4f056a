"""Raw records of every kind of fault, landed without validation, as drains leave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pyarrow as pa

from social_assets.demo.samples.fuzzed_records import fuzzed_records
from social_assets.lake.schemas import RAW
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.rows import with_event_dates
from social_assets.transform.validate_block import BlockValidator

NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
PARTITIONS = 3


def land(stores: StreamStores, records: int, batch_rows: int, seed: int = 2026) -> Sequence[date]:
    """Land fuzzed records in batches of several partitions; returns their event dates."""
    with stores.engine.session() as session:
        validator = BlockValidator(session, stores.contract)
        for rows in _blocks(records, batch_rows, seed):
            stores.raw.append(with_event_dates(rows, validator.of(rows)).cast(stores.raw.schema))
    return sorted(stores.raw.rows_by_day())


def _blocks(records: int, batch_rows: int, seed: int) -> Iterator[pa.Table]:
    values = iter(fuzzed_records(records, seed=seed, now=NOW))
    blocks = iter(lambda: list(islice(values, batch_rows)), [])
    for number, block in enumerate(blocks):
        first = number * batch_rows
        at = NOW + timedelta(seconds=number)
        offsets = [(first + row) // PARTITIONS for row in range(len(block))]
        columns = {
            "value": pa.array(block, pa.binary()),
            "source": pa.repeat("kafka", len(block)),
            "origin": pa.repeat("engagement_events", len(block)),
            "partition": pa.array(
                [(first + row) % PARTITIONS for row in range(len(block))], pa.int32()
            ),
            "offset": pa.array(offsets, pa.int64()),
            "timestamp": pa.repeat(pa.scalar(NOW, RAW.field("timestamp").type), len(block)),
            "ingested_at": pa.repeat(pa.scalar(at, RAW.field("ingested_at").type), len(block)),
            "batch_id": pa.repeat(f"kafka-{number:06}", len(block)),
        }
        nulls = {
            field.name: pa.nulls(len(block), field.type)
            for field in RAW
            if field.name not in columns
        }
        yield pa.table({name: {**columns, **nulls}[name] for name in RAW.names})
