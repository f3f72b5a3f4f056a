"""Opens records: bytes -> one text column for each column of the contract, in any spelling.

Belongs here: what depends on the record's format (JSON object or CSV line). Types and defaults
belong to `standardize`, rules to `validate`. The functions with names in capitals are DuckDB
functions, which Ibis passes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.transform.csv_fields import CsvHeader, csv_header, csv_text, with_csv_fields


@ibis.udf.scalar.builtin(name="decode", signature=((dt.binary,), dt.string))
def _decode(value: bytes) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="try", signature=((dt.string,), dt.string))
def _try(value: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="trim", signature=((dt.string,), dt.string))
def _trim(value: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="octet_length", signature=((dt.binary,), dt.int64))
def _octet_length(value: bytes) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_valid", signature=((dt.string,), dt.boolean))
def _json_valid(text: str) -> bool: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="json_extract_string",
    signature=((dt.string, dt.Array(dt.string)), dt.Array(dt.string)),
)
def _json_extract_string(text: str, paths: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string,), dt.Array(dt.string)))
def _json_keys(text: str) -> list[str]: ...  # type: ignore[empty-body]


@dataclass(frozen=True)
class Shape:
    """How a set of records spells the contract's columns.

    `spellings` maps a column to its JSON keys, best first; `headers` maps a `csv_header` of
    raw to what it says.
    """

    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, CsvHeader] = field(default_factory=dict)


def opened(raw: ir.Table, max_record_bytes: int) -> ir.Table:
    """Raw records with `record_text`, null if it is too long or not UTF-8, and `is_json`: true for
    a JSON object, null for a CSV line.
    """
    fits = _octet_length(raw.record_bytes) <= max_record_bytes
    table = raw.mutate(
        too_long=~fits, record_text=ibis.cases((fits, _try(_decode(raw.record_bytes))))
    )
    opens = ibis.cases(
        (table.record_text.startswith("{"), True), else_=table.record_text.lstrip().startswith("{")
    )
    is_object = opens & _json_valid(table.record_text)
    table = table.mutate(is_json=ibis.cases((table.csv_header.isnull(), is_object)))
    return table.mutate(json_text=ibis.cases((table.is_json, table.record_text)))


def key_counts(records: ir.Table) -> ir.Table:
    """How many of the opened records have each JSON key: the columns `key` and `records`."""
    keys = records.select(key=_json_keys(records.json_text).unnest())
    return keys.group_by("key").agg(records=keys.count())


def shape_of(contract: Contract, keys: Iterable[str], headers: Iterable[str]) -> Shape:
    """Match the keys and headers with the contract; the contract's own spelling comes first."""
    spellings: dict[str, list[str]] = {c.name: [c.name] for c in contract.source_columns}
    by_key = {c.match_key: c.name for c in contract.source_columns}
    for key in sorted(keys):
        column = by_key.get(match_key(key))
        if column is not None and key != column:
            spellings[column].append(key)
    return Shape(
        {column: tuple(found) for column, found in spellings.items()},
        {line: csv_header(contract, line) for line in headers},
    )


def with_fields(records: ir.Table, shape: Shape, columns: Iterable[str]) -> ir.Table:
    """Opened records with the text of each of `columns` as `in_<column>`, trimmed, null if empty.

    Adds `field_count_ok`, whether a CSV record has as many fields as its header; `quotes_closed`,
    whether each of its fields that opens a quote closes it; and `spare_keys`,
    the keys of a JSON object in which one of the columns was not found: it may be there in a
    spelling that the shape lacks.
    """
    names = tuple(columns)
    keys = [key for name in names for key in shape.spellings[name]]
    pointers = ibis.array([ibis.literal(_json_pointer(key)) for key in keys])
    table = records.mutate(json_fields=_json_extract_string(records.json_text, pointers))
    fields = {key: table.json_fields[n] for n, key in enumerate(keys)}
    table = with_csv_fields(table, shape.headers)
    table = table.mutate(
        **{f"in_{name}": _trimmed(_text(table, name, shape, fields)) for name in names}
    )
    absent = ibis.or_(*(table[f"in_{name}"].isnull() for name in names))
    spare = ibis.cases((absent, _json_keys(table.json_text)))
    opened_once = [c for c in table.columns if c in ("csv_fields", "json_fields", "json_text")]
    return table.mutate(spare_keys=spare).drop(*opened_once)


def _json_pointer(key: str) -> str:
    """A JSON pointer (RFC 6901), which can name any key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _text(
    table: ir.Table, name: str, shape: Shape, fields: Mapping[str, ir.StringValue]
) -> ir.StringValue:
    found = [fields[key] for key in shape.spellings[name]]
    from_csv = csv_text(table, shape.headers, name)
    return ibis.coalesce(*found, *([] if from_csv is None else [from_csv]))


def _trimmed(text: ir.StringValue) -> ir.StringValue:
    return _trim(text).nullif("")
