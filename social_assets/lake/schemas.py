"""The columns of the lake's tables: raw (one layout for all streams), cleaned and quarantine.

Belongs here: the columns and partitions of a table; `delta.py` reads and writes. Times are UTC with
microseconds.
"""

from __future__ import annotations

from typing import Literal

import pyarrow as pa

from social_assets.contracts.column import ColumnType
from social_assets.contracts.contract import Contract

Layer = Literal["raw", "cleaned", "quarantine"]

TIMESTAMP = pa.timestamp("us", tz="UTC")

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": TIMESTAMP,
    "strings": pa.list_(pa.field("element", pa.string())),
}

PROVENANCE = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", TIMESTAMP, nullable=False),
        pa.field("ingested_at", TIMESTAMP, nullable=False),
        pa.field("batch_id", pa.string(), nullable=False),
    ]
)
"""The origin of a record. `source` is `file`, `kafka` or `pages`; `origin` the file's name, the
topic or the platform; `offset` the record's number in the file or the batch of pages, from 1, or
its Kafka offset; `timestamp` the landing date of the file, Kafka's timestamp, or when the page was
fetched; `batch_id` the load that brought it."""

RAW = pa.schema(
    [
        pa.field("value", pa.binary()),
        pa.field("key", pa.binary()),
        pa.field("headers", pa.map_(pa.string(), pa.binary())),
        pa.field("csv_header", pa.string()),
        *PROVENANCE,
        pa.field("event_date", pa.date32(), nullable=False),
    ]
)
"""The unchanged record. `csv_header` is the header line of the record's file; above it stands a
line with the file's dialect, unless that is the default (`contracts.csv_format`). Null for JSON."""

QUARANTINE = pa.schema(
    [
        pa.field("value", pa.binary()),
        pa.field("csv_header", pa.string()),
        pa.field("reasons", pa.list_(pa.field("element", pa.string())), nullable=False),
        *PROVENANCE,
        pa.field("event_date", pa.date32(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
    ]
)
"""The records that are not in cleaned. The column `verdict` is `rejected` (with the raw bytes and
every reason) or `duplicate` (without bytes, which raw has). Each raw record is in cleaned or here,
exactly once."""

ELEMENT = pa.field("element_number", pa.int32())
"""Beside the offset in the tables of a contract with `explode`: the record's number, from 1, among
those that were cut out of one Kafka record. Null for files, whose `offset` numbers elements."""

LANDED_DATE = pa.field("landed_date", pa.date32(), nullable=False)
"""The day of a record in raw, where raw is about to be divided into other days."""

PARTITION_COLUMNS: dict[Layer, list[str]] = {
    "raw": ["event_date"],
    "cleaned": ["event_date"],
    "quarantine": ["event_date", "verdict"],
}


def cleaned_schema(contract: Contract) -> pa.Schema:
    """The contract's columns, then the event time, the provenance and the event date."""
    fields = [
        pa.field(c.name, ARROW_TYPES[c.type], nullable=c.nullable) for c in contract.cleaned_columns
    ]
    own = pa.schema([*fields, *PROVENANCE, pa.field("event_date", pa.date32(), nullable=False)])
    return own.append(ELEMENT) if contract.explode is not None else own


def schema(layer: Layer, contract: Contract) -> pa.Schema:
    """The schema of one layer's table of one stream."""
    if layer == "cleaned":
        return cleaned_schema(contract)
    own = RAW if layer == "raw" else QUARANTINE
    return own.append(ELEMENT) if contract.explode is not None else own
