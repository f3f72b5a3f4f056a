"""Turns the answer of `BlockValidator` about a block into rows of the lake's tables.

Belongs here: the columns of raw, cleaned and quarantine, from the records and their results, for
files, micro-batches and rebuilt days. Which records are duplicates is decided elsewhere.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.contract import Contract
from social_assets.lake.schemas import ELEMENT, PROVENANCE, QUARANTINE, RAW
from social_assets.transform.validate import SEPARATOR

INPUT_COLUMNS = [name for name in RAW.names if name not in ("key", "headers")]
"""The columns of raw that validation and quarantine need of every stream."""

_FROM_RAW = {*PROVENANCE.names, "event_date", ELEMENT.name}


def input_columns(contract: Contract) -> list[str]:
    """The columns of raw that validation and quarantine need; of changes, the key of a tombstone
    tells which row it is of.
    """
    if contract.capture is not None:
        return [*INPUT_COLUMNS, "key"]
    return INPUT_COLUMNS if contract.explode is None else [*INPUT_COLUMNS, ELEMENT.name]


def with_event_dates(raw: pa.Table, answer: pa.Table) -> pa.Table:
    """The records with the event date of the answer where they have none yet."""
    return with_days(raw, pc.coalesce(raw["event_date"], answer["event_date"]))


def with_days(raw: pa.Table, days: pa.ChunkedArray) -> pa.Table:
    """The records with these event dates."""
    return raw.set_column(raw.column_names.index("event_date"), RAW.field("event_date"), days)


def cleaned_rows(raw: pa.Table, answer: pa.Table, schema: pa.Schema, of: pa.Array) -> pa.Table:
    """The cleaned rows of the records `of` (a mask), with the columns of `schema`."""
    columns = {name: (raw if name in _FROM_RAW else answer)[name] for name in schema.names}
    rows = pa.table(columns)
    return (rows if pc.all(of).as_py() else rows.filter(of)).cast(schema)


def rejected_rows(raw: pa.Table, answer: pa.Table, of: pa.Array) -> pa.Table:
    """The quarantine rows of the rejected records `of` (a mask), with every reason."""
    schema = _quarantine(raw)
    names = [n for n in schema.names if n not in ("reasons", "verdict")]
    rows = raw.select(names).append_column("reasons", answer["reasons"]).filter(of)
    reasons = pc.split_pattern(rows["reasons"], SEPARATOR)
    rows = rows.set_column(rows.column_names.index("reasons"), "reasons", reasons)
    rows = rows.append_column("verdict", pa.repeat("rejected", rows.num_rows))
    return rows.select(schema.names).cast(schema)


def repeated_rows(records: pa.Table) -> pa.Table:
    """The quarantine rows of duplicates: their positions, without the bytes that raw has."""
    count = records.num_rows
    said: dict[str, pa.Array] = {
        "value": pa.nulls(count, pa.binary()),
        "csv_header": pa.nulls(count, pa.string()),
        "reasons": pa.array([["duplicate"]] * count, pa.list_(pa.string())),
        "verdict": pa.repeat("duplicate", count),
    }
    schema = _quarantine(records)
    columns = {n: said[n] if n in said else records[n] for n in schema.names}
    return pa.table(columns).cast(schema)


def _quarantine(records: pa.Table) -> pa.Schema:
    """The columns of the quarantine table of the records' stream."""
    return QUARANTINE.append(ELEMENT) if ELEMENT.name in records.column_names else QUARANTINE
