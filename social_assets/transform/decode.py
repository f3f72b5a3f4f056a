"""Opens records: bytes -> one text column for each column of the contract, in any spelling.

Belongs here: what depends on the record's format (JSON object or CSV line). Types and defaults
belong to `standardize`, rules to `validate`. The functions with names in capitals are DuckDB
functions, which Ibis passes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import Column, Spellings, match_key
from social_assets.contracts.contract import Contract
from social_assets.transform.csv_fields import (
    CsvHeader,
    OfPlatform,
    csv_header,
    csv_text,
    with_csv_fields,
)
from social_assets.transform.json_fields import JsonFields, json_fields, with_json_fields
from social_assets.transform.repeated_keys import keys_hash
from social_assets.transform.values.combined import any_of
from social_assets.transform.values.missing import without_declared_nulls

PLATFORM_COLUMN = "platform"
"""The column that tells the platform of a record."""


@ibis.udf.scalar.builtin(name="decode", signature=((dt.binary,), dt.string))
def _decode(value: bytes) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="try", signature=((dt.string,), dt.string))
def _try(value: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="octet_length", signature=((dt.binary,), dt.int64))
def _octet_length(value: bytes) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="try", signature=((dt.Array(dt.string),), dt.Array(dt.string)))
def _try_keys(keys: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string,), dt.Array(dt.string)))
def _json_keys(text: str) -> list[str]: ...  # type: ignore[empty-body]


class Pointer(NamedTuple):
    """Where a JSON object may hold a column's value: a JSON pointer (RFC 6901), which can name any
    key; for the records of one platform, or of any.
    """

    text: str
    platform: str | None = None


@dataclass(frozen=True)
class Shape:
    """Where a set of records holds the contract's columns.

    `pointers` maps a column to its places in JSON objects, best first; `headers` maps a
    `csv_header` of raw to what it says; `platforms` maps a platform to its spellings in lower case,
    where a place depends on it, and `platform` is the column that tells it.
    """

    pointers: Mapping[str, tuple[Pointer, ...]] = field(default_factory=dict)
    headers: Mapping[str, CsvHeader] = field(default_factory=dict)
    platforms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    platform: Column | None = None


def opened(raw: ir.Table, max_record_bytes: int) -> ir.Table:
    """Raw records with `record_text`, null if it is too long or not UTF-8, and `is_json`: true for
    a JSON object, null for a CSV line. `all_keys` are the keys of the object.
    """
    fits = _octet_length(raw.record_bytes) <= max_record_bytes
    table = raw.mutate(
        too_long=~fits, record_text=ibis.cases((fits, _try(_decode(raw.record_bytes))))
    )
    opens = ibis.cases(
        (table.record_text.startswith("{"), True), else_=table.record_text.lstrip().startswith("{")
    )
    # Reading the keys also tells whether it is JSON: each function on JSON parses the text anew.
    object_text = ibis.cases((table.csv_header.isnull() & opens, table.record_text))
    table = table.mutate(all_keys=_try_keys(_json_keys(object_text)))
    is_object = table.all_keys.notnull()
    table = table.mutate(is_json=ibis.cases((table.csv_header.isnull(), is_object)))
    return table.mutate(json_text=ibis.cases((table.is_json, table.record_text)))


def key_counts(records: ir.Table) -> ir.Table:
    """How many of the opened records have each JSON key: the columns `key` and `records`."""
    keys = records.select(key=_json_keys(records.json_text).unnest())
    return keys.group_by("key").agg(records=keys.count())


def shape_of(contract: Contract, keys: Iterable[str], headers: Iterable[str]) -> Shape:
    """Match the keys and headers with the contract; the contract's own spelling comes first."""
    spelled: dict[str, list[str]] = {}
    for key in sorted(keys):
        spelled.setdefault(match_key(key), []).append(key)
    return Shape(
        {column.name: tuple(_pointers(column, spelled)) for column in contract.read_columns},
        {stored: csv_header(contract, stored) for stored in headers},
        _platforms(contract),
        contract.columns.get(PLATFORM_COLUMN),
    )


def _pointers(column: Column, spelled: Mapping[str, Sequence[str]]) -> Iterator[Pointer]:
    for place in column.places:
        own = "".join(map(_step, place.steps))
        others = [_step(key) for key in spelled.get(place.match_key, ())]
        for text in dict.fromkeys([own, *others]):
            yield Pointer(text, place.platform)


def _step(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _platforms(contract: Contract) -> dict[str, tuple[str, ...]]:
    """The spellings of the platforms on which the place of a column depends."""
    named = {p.platform for c in contract.source_columns for p in c.places if p.platform}
    column = contract.columns.get(PLATFORM_COLUMN)
    standardize = column.standardize if column else None
    known = standardize.lookup() if isinstance(standardize, Spellings) else {}
    spellings = {each: [s for s, told in known.items() if told == each] for each in sorted(named)}
    return {each: (each.casefold(), *found) for each, found in spellings.items()}


def with_fields(records: ir.Table, shape: Shape, columns: Sequence[Column]) -> ir.Table:
    """Opened records with the text of each of `columns` as `in_<column>`.

    It is trimmed, and null if empty, unless the column is stored verbatim.

    Adds `nested_<column>` for columns of text, whether it is a JSON object or list;
    `field_count_ok`, whether a CSV record has as many fields as its header; `quotes_closed`,
    whether each of its fields that opens a quote closes it; `keys_hash`, of the keys of a JSON
    object (`repeated_keys`); and `spare_keys`, the keys of a JSON object in which one of the
    columns was not found: it may be there in a spelling that the shape lacks.
    """
    read = [*columns, *(c.clock for c in columns if c.clock is not None)]
    if shape.platforms and shape.platform is not None and shape.platform not in read:
        read.append(shape.platform)
    fields = json_fields((c, pointer.text) for c in read for pointer in shape.pointers[c.name])
    table = with_json_fields(records, list(fields.values()))
    table = table.mutate(keys_hash=keys_hash(table, list(fields.values())))
    table = with_csv_fields(table, shape.headers)
    if shape.platforms and shape.platform is not None:
        text = ibis.coalesce(*_texts(table, shape.platform, shape, fields))
        table = table.mutate(platform_text=text.lower())
    table = table.mutate(**{f"in_{c.name}": _text(table, c, shape, fields) for c in columns})
    table = table.mutate(
        **{f"nested_{c.name}": _is_nested(table, c, shape, fields) for c in columns if c.is_string}
    )
    absent = any_of(table[f"in_{c.name}"].isnull() for c in columns)
    spare = ibis.cases((absent, table.all_keys))
    opened_once = {"all_keys", "csv_fields", "json_text", "odd_text", "platform_text"}
    opened_once.update(name for field in fields.values() for name in field.columns)
    kept = [name for name in table.columns if name not in opened_once]
    return table.mutate(spare_keys=spare).select(*kept, "spare_keys")


def _text(table: ir.Table, column: Column, shape: Shape, fields: JsonFields) -> ir.StringValue:
    """The first text of a column that is not empty; a JSON object or list if there is no text."""
    texts = _texts(table, column, shape, fields)
    if column.clock is not None:
        date, clock = (
            ibis.coalesce(*texts),
            ibis.coalesce(*_texts(table, column.clock, shape, fields)),
        )
        texts = [ibis.coalesce(date.concat(" ", clock), date)]
    text = without_declared_nulls(ibis.coalesce(*texts), column)
    return ibis.coalesce(text, *_nested(table, column, shape, fields))


def _is_nested(
    table: ir.Table, column: Column, shape: Shape, fields: JsonFields
) -> ir.BooleanValue:
    nested = ibis.coalesce(*_nested(table, column, shape, fields))
    is_it = nested.notnull() & (table[f"in_{column.name}"] == nested)
    return ibis.cases((table.odd_text.notnull(), is_it), else_=False).fill_null(False)


def _texts(
    table: ir.Table, column: Column, shape: Shape, fields: JsonFields
) -> list[ir.StringValue]:
    only = _of_platform(table, shape)
    found = [
        only(text if column.verbatim else text.nullif(""), each.platform)
        for each in shape.pointers[column.name]
        for text in [table[fields[column.name, each.text].name]]
    ]
    from_csv = csv_text(table, shape.headers, column, only)
    return found if from_csv is None else [*found, from_csv]


def _nested(
    table: ir.Table, column: Column, shape: Shape, fields: JsonFields
) -> list[ir.StringValue]:
    if not column.is_string:
        return []
    only = _of_platform(table, shape)
    return [
        only(table[fields[column.name, each.text].nested_name], each.platform)
        for each in shape.pointers[column.name]
    ]


def _of_platform(table: ir.Table, shape: Shape) -> OfPlatform:
    def only(text: ir.StringValue, platform: str | None) -> ir.StringValue:
        if platform is None:
            return text
        return ibis.cases((table.platform_text.isin(shape.platforms[platform]), text))

    return only
