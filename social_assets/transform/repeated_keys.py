"""Makes the last value count where a JSON object has a key twice, as most readers of JSON do.

Belongs here: finding such records, and their text with each key once. DuckDB reads the first value.
To compare all keys of a record takes half as long again as validating it, so only records with more
keys than the contract finds in them are compared. Those with a repeated key are rare: their text is
made anew in Python, and their block is validated again.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Sequence

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from social_assets.transform.json_fields import JsonField


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string,), dt.Array(dt.string)))
def _json_keys(text: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string, dt.string), dt.Array(dt.string)))
def _json_keys_at(text: str, pointer: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="list_unique", signature=((dt.Array(dt.string),), dt.int64))
def _distinct(keys: list[str]) -> int: ...  # type: ignore[empty-body]


def repeats_a_key(records: ir.Table, fields: Sequence[JsonField]) -> ir.BooleanValue:
    """Whether the object of a record, or one that leads to a field, has a key twice.

    `records` have the text of each field.
    """
    by_parent: dict[str, dict[str, JsonField]] = {"": {}}
    for field in fields:
        parents = _parents(field)
        for parent in parents:
            by_parent.setdefault(parent, {})
        if parents:
            by_parent[parents[-1]][field.pointer] = field
    found = [
        _repeats(records, parent, list(children.values())) for parent, children in by_parent.items()
    ]
    return ibis.or_(*found)


def _parents(field: JsonField) -> list[str]:
    """The pointers of the objects through which a field is reached, the record's first. None if a
    list is among them.
    """
    steps = field.pointer.split("/")[1:-1]
    if any(step.isdigit() for step in steps):
        return []
    return ["/".join(["", *steps[:count]]) for count in range(len(steps) + 1)]


def _repeats(records: ir.Table, parent: str, children: Iterable[JsonField]) -> ir.BooleanValue:
    text = records.json_text
    keys = _json_keys_at(text, parent) if parent else _json_keys(text)
    count = keys.length()
    known = [records[child.name].notnull().cast("int64") for child in children]
    # Each field that is found is a key of its own, so as many keys as fields are all different.
    suspect = count > sum(known[1:], known[0]) if known else count > 1
    return ibis.cases((suspect, _distinct(keys) < count), else_=False)


def with_last_values(texts: pa.Array) -> pa.Array:
    """JSON objects with each key of an object once, with its last value. Numbers keep their digits.

    A text that is nested too deeply for Python stays as it is.
    """
    return pa.array(
        [None if text is None else _with_last_values(text) for text in texts.to_pylist()]
    )


def _with_last_values(text: str) -> str:
    # Numbers pass as texts with a mark that no record can have guessed.
    mark = secrets.token_hex(8)

    def marked(digits: str) -> str:
        return mark + digits

    try:
        value = json.loads(text, parse_float=marked, parse_int=marked, parse_constant=marked)
        return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(value))
    except RecursionError:
        return text
