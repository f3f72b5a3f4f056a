"""Makes the last value count where a JSON object has a key twice, for contracts that ask for it.

Belongs here: finding such records, and their text with each key once. DuckDB reads the first value,
most other readers the last. To compare all keys of a record takes half as long again as validating
it, so a contract has to ask for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string,), dt.Array(dt.string)))
def _json_keys(text: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="list_unique", signature=((dt.Array(dt.string),), dt.int64))
def _distinct(keys: list[str]) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="list_reverse", signature=((dt.Array(dt.string),), dt.Array(dt.string))
)
def _reversed(texts: list[str]) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="list_position", signature=((dt.Array(dt.string), dt.string), dt.int64)
)
def _position(texts: list[str], text: str) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(
    name="json_extract", signature=((dt.string, dt.string), dt.Array(dt.string))
)
def _values(text: str, path: str) -> list[str]: ...  # type: ignore[empty-body]


def with_last_values(records: ir.Table, names: Sequence[str]) -> ir.Table:
    """Opened records; the `json_text` of those that have a key twice holds the last values of
    `names` alone.
    """
    keys = _json_keys(records.json_text)
    repeats = _distinct(keys) < keys.length()
    table = records.mutate(twice_text=ibis.cases((repeats, records.json_text)))
    # From the end, so that the last one is found.
    table = table.mutate(
        last_keys=_reversed(_json_keys(table.twice_text)),
        last_values=_reversed(_values(table.twice_text, "$.*")),
    )
    pairs = [_pair(table, name) for name in dict.fromkeys(names)]
    mended = ibis.literal("{").concat(ibis.literal(",").join(pairs), "}")
    text = ibis.cases((table.twice_text.notnull(), mended), else_=table.json_text)
    return table.mutate(json_text=text).drop("twice_text", "last_keys", "last_values")


def _pair(table: ir.Table, name: str) -> ir.StringValue:
    place = _position(table.last_keys, name)
    value = table.last_values[place - 1]
    return ibis.cases((place > 0, ibis.literal(f"{json.dumps(name)}:").concat(value)))
