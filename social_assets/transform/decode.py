"""Opens records: bytes -> one text column for each column of the contract, in any spelling.

Belongs here: what depends on the record's format (JSON object or CSV line). Types and defaults
belong to `standardize`, rules to `validate`. The functions with names in capitals are DuckDB
functions, which Ibis passes through.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract

_CSV_FIELD = r'("(?:[^"]|"")*"[ \t]*|[^,]*),'
_CSV_FIELDS_CLOSED = r'(?:(?:"(?:[^"]|"")*"[ \t]*|[^",][^,]*|),)*'
"""Fields of which each either does not begin with a quote or ends with the quote that closes it."""


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


@ibis.udf.scalar.builtin(
    name="regexp_extract_all",
    signature=((dt.string, dt.string, dt.int64), dt.Array(dt.string)),
)
def _regexp_extract_all(text: str, pattern: str, group: int) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="regexp_full_match", signature=((dt.string, dt.string), dt.boolean))
def _regexp_full_match(text: str, pattern: str) -> bool: ...  # type: ignore[empty-body]


@dataclass(frozen=True)
class Shape:
    """How a set of records spells the contract's columns.

    `spellings` maps a column to its JSON keys, best first; `headers` maps a CSV header line to the
    position of each column in it, and to its number of fields.
    """

    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, CsvHeader] = field(default_factory=dict)


@dataclass(frozen=True)
class CsvHeader:
    """One CSV header line: its number of fields, and the position of each column."""

    width: int
    positions: Mapping[str, int]


def csv_header(contract: Contract, line: str) -> CsvHeader:
    """Parse a header line. If two spellings of one column are in it, the first one counts."""
    names = next(csv.reader([line]), [])
    by_key = {c.match_key: c.name for c in contract.source_columns}
    positions: dict[str, int] = {}
    for index, name in enumerate(names):
        column = by_key.get(match_key(name))
        if column is not None:
            positions.setdefault(column, index)
    return CsvHeader(width=len(names), positions=positions)


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
    if shape.headers:
        line = ibis.cases((table.csv_header.notnull(), table.record_text.concat(",")))
        table = table.mutate(
            csv_fields=_regexp_extract_all(line, _CSV_FIELD, 1), quotes_closed=_quotes_closed(line)
        )
    else:
        table = table.mutate(quotes_closed=ibis.literal(True))
    table = table.mutate(
        field_count_ok=_field_count_ok(table, shape),
        **{f"in_{name}": _trimmed(_text(table, name, shape, fields)) for name in names},
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
    branches = [
        (table.csv_header == line, _unquoted(table.csv_fields[header.positions[name]]))
        for line, header in shape.headers.items()
        if name in header.positions
    ]
    if branches:
        found.append(ibis.cases(*branches))
    return ibis.coalesce(*found)


def _field_count_ok(table: ir.Table, shape: Shape) -> ir.BooleanValue:
    branches = [
        (table.csv_header == line, table.csv_fields.length() == header.width)
        for line, header in shape.headers.items()
    ]
    return ibis.cases(*branches, else_=True) if branches else ibis.literal(True)


def _quotes_closed(line: ir.StringValue) -> ir.BooleanValue:
    with_quotes = line.contains('"')
    return ibis.cases((with_quotes, _regexp_full_match(line, _CSV_FIELDS_CLOSED)), else_=True)


def _unquoted(text: ir.StringValue) -> ir.StringValue:
    ended = text.rstrip()
    quoted = ended.startswith('"') & ended.endswith('"') & (ended.length() > 1)
    inner = ended.substr(1, ended.length() - 2).replace('""', '"')
    return ibis.cases((quoted, inner), else_=text)


def _trimmed(text: ir.StringValue) -> ir.StringValue:
    return _trim(text).nullif("")
