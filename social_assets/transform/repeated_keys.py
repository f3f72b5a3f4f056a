"""Makes the last value count where a JSON object has a key twice, as most readers of JSON do.

Belongs here: finding such records, and their text with each key once. DuckDB reads the first value.
To compare the keys of every record takes half as long again as validating it. But records of one
stream have few different lists of keys: the engine gives a hash of each record's list, and one
record of each new list is read here. Records with a repeated key are rare: their text is made anew,
and their block is validated again.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from itertools import takewhile

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.transform.json_fields import JsonField
from social_assets.transform.values.combined import sum_of

_MOST_LISTS = 100_000
"""So many lists of keys are remembered: some 10 MB."""


@ibis.udf.scalar.builtin(name="json_keys", signature=((dt.string, dt.string), dt.Array(dt.string)))
def _json_keys_at(text: str, pointer: str) -> list[str]: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="hash", signature=((dt.Array(dt.string),), dt.uint64))
def _hash(keys: list[str]) -> int: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="hash", signature=((dt.Array(dt.uint64),), dt.uint64))
def _hash_of_hashes(hashes: list[int]) -> int: ...  # type: ignore[empty-body]


def keys_hash(records: ir.Table, fields: Sequence[JsonField]) -> ir.IntegerValue:
    """A hash of the keys of a record's object, and of the objects that lead to a field; null if
    none of them can be there twice.

    `records` have the text of each field, and the object's keys as `all_keys`.
    """
    parents = {parent for field in fields for parent in _parents(field)}
    keys = records.all_keys
    if parents <= {""}:
        # Each field that is found is a key of its own: as many keys as fields are all different.
        found = {
            field.pointer: records[field.name].notnull().cast("int64")
            for field in fields
            if len(field.steps) == 1
        }
        known = sum_of(found.values())
        return ibis.cases((keys.length() > known, _hash(keys)))
    nested = (_json_keys_at(records.json_text, parent) for parent in sorted(parents - {""}))
    hashes = ibis.array([_hash(keys), *(_hash(each) for each in nested)])
    return ibis.cases((records.json_text.notnull(), _hash_of_hashes(hashes)))


def _parents(field: JsonField) -> list[str]:
    """The pointers of the objects through which a field is reached, the record's first. Those
    within a list are not looked at.
    """
    steps = list(takewhile(lambda step: not step.isdigit(), field.pointer.split("/")[1:]))
    return ["/".join(["", *steps[:count]]) for count in range(max(1, len(steps)))]


class RepeatedKeys:
    """The lists of keys that a stream's records have, and whether a key is twice in one."""

    def __init__(self) -> None:
        self._repeats: dict[int, bool] = {}

    def found(self, hashes: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array | None:
        """Which records have a key twice, as a mask; None if none has.

        `hashes` are those of `keys_hash`, `values` the records' bytes in the same order.
        """
        column = hashes.combine_chunks()
        if column.null_count == len(column):
            return None
        there, first = np.unique(column.fill_null(0).to_numpy(), return_index=True)
        if len(self._repeats) > _MOST_LISTS:
            self._repeats.clear()
        for each, row in zip(there.tolist(), first.tolist(), strict=True):
            if each not in self._repeats:
                self._repeats[each] = _repeats_a_key(values[row].as_py())
        repeated = [each for each in there.tolist() if self._repeats[each]]
        if not repeated:
            return None
        return pc.fill_null(pc.is_in(column, pa.array(repeated, column.type)), False)


def _repeats_a_key(value: bytes) -> bool:
    found = False

    def counted(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) < len(pairs)

    try:
        json.loads(value, object_pairs_hook=counted)
    except (ValueError, RecursionError):
        # No JSON object, or one that is too deep for Python: the first value counts.
        return False
    return found


def with_last_values(texts: pa.Array) -> pa.Array:
    """JSON objects with each key once, with its last value. Numbers keep their digits."""
    return pa.array([_with_last_values(text) for text in texts.to_pylist()], pa.string())


def _with_last_values(text: str) -> str:
    # Numbers pass as texts with a mark that no record can have guessed.
    mark = secrets.token_hex(8)

    def marked(digits: str) -> str:
        return mark + digits

    try:
        value = json.loads(text, parse_float=marked, parse_int=marked, parse_constant=marked)
    except (ValueError, RecursionError):
        return text
    return re.sub(f'"{mark}([^"]*)"', r"\1", json.dumps(value))
