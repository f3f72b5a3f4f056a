"""Makes rows of raw of a topic's records, for every drain.

Belongs here: the columns that all records of a micro-batch share, and their timestamps. The event
dates are found later.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from resources.settings.first_date import earliest_event_date
from social_assets.lake.schemas import ELEMENT
from social_assets.pipeline.stores import StreamStores


def raw_rows(stores: StreamStores, records: pa.Table, batch_id: str, arrival: datetime) -> pa.Table:
    """KAFKA_RECORDS as rows of raw, with null event dates."""
    constant = {
        "csv_header": None,
        "source": "kafka",
        "origin": stores.contract.kafka_topic,
        "ingested_at": arrival,
        "batch_id": batch_id,
        "event_date": None,
    }
    schema = stores.raw.schema
    columns = {name: records[name] for name in records.column_names}
    if ELEMENT.name in schema.names and ELEMENT.name not in columns:
        columns[ELEMENT.name] = pa.nulls(records.num_rows, ELEMENT.type)
    columns["timestamp"] = _timestamps(stores, columns["timestamp"], arrival)
    columns |= {
        name: pa.repeat(pa.scalar(value, schema.field(name).type), records.num_rows)
        for name, value in constant.items()
    }
    return pa.table({name: columns[name] for name in schema.names})


def _timestamps(stores: StreamStores, given: pa.ChunkedArray, arrival: datetime) -> pa.ChunkedArray:
    """The records' timestamps; the arrival if there is none or it is implausible.

    Producers can set any timestamp, and it gives the event date of a record without a time.
    """
    latest = arrival + stores.contract.future_after
    earliest = datetime.combine(earliest_event_date(), datetime.min.time(), UTC)
    is_meant = pc.and_(pc.greater_equal(given, earliest), pc.less_equal(given, latest))
    return pc.if_else(is_meant, given, None).fill_null(arrival)
