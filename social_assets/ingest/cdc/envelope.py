"""Opens Debezium's records: an envelope -> a flat JSON object with the row and what happened to it.

Belongs here: the format of Debezium's records (JSON, with or without the converter's schema) and of
tombstones. The flat object is validated like any other record; raw keeps the envelope.

Debezium writes the placeholder UNAVAILABLE for a TOASTed value that did not change. It never counts
as a value: the column is left out and named in `unsent_columns`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from social_assets.contracts.column import ColumnType, match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.change_capture import (
    CHANGED_AT,
    LSN,
    OP,
    POSITION,
    UNSENT,
    ChangeOp,
)

UNAVAILABLE = "__debezium_unavailable_value"
_UNAVAILABLE_BASE64 = "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
_PLACEHOLDERS: tuple[object, ...] = (UNAVAILABLE, _UNAVAILABLE_BASE64, [UNAVAILABLE])

_OPS: Mapping[str, ChangeOp] = {
    "c": "create",
    "u": "update",
    "d": "delete",
    "r": "read",
    "t": "truncate",
}
CHANGE_COLUMNS = ("value", "key", "partition", "offset", "timestamp")
"""The columns of raw of which changes are opened."""

_INCREMENTAL = "incremental"
"""Rows of a snapshot that is taken beside the stream: they replace nothing but themselves."""

_NO_KEY: Mapping[ColumnType, object] = {
    "integer": 0,
    "string": "",
    "boolean": False,
    "timestamp": "1970-01-01T00:00:00Z",
}
"""What stands in the key's columns of a truncate, which is of no row."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_CHANGE: Mapping[str, object] = {}

Fields = dict[str, Any]

# Once: `json.loads` and `json.dumps` with options look for both at each call.
_DECODE = json.JSONDecoder().decode
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ChangeReader:
    """Opens the records of one stream."""

    def __init__(self, contract: Contract) -> None:
        if contract.capture is None:
            raise ValueError(f"{contract.name} is no stream of changes")
        key = [contract.columns[name] for name in contract.capture.primary_key]
        self._of_no_row = {column.places[0].path: _NO_KEY[column.type] for column in key}
        self._named = contract.named_columns
        self._columns: dict[str, tuple[str, ...]] = {}

    def opened(self, raw: pa.Table) -> pa.ChunkedArray:
        """The flat record of each row of raw, in their order.

        Without the column `key`, as of files, tombstones are of no row.

        A record that is no JSON stays as it is, and an object that is no envelope becomes one
        without fields, so that both are rejected.
        """
        columns = [raw[name].to_pylist() for name in ("value", "partition", "offset")]
        # As numbers: Python's times take longer to make than all else here.
        columns.append(raw["timestamp"].cast(pa.timestamp("us")).cast(pa.int64()).to_pylist())
        has_keys = "key" in raw.column_names
        keys = raw["key"].to_pylist() if has_keys else [None] * raw.num_rows
        flat = [self._opened(*record) for record in zip(keys, *columns, strict=True)]
        return pa.chunked_array([pa.array(flat, pa.binary())])

    def _opened(
        self,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        offset: int,
        timestamp: int,
    ) -> bytes | None:
        if value is None:
            fields = _tombstone(key, partition, offset, timestamp)
            return None if fields is None else _encoded(fields)
        try:
            envelope = _payload(_DECODE(value.decode()))
        except (ValueError, RecursionError):
            # The rules of decoding name what is wrong with it.
            return value
        if envelope is None:
            fields = _tombstone(key, partition, offset, timestamp)
            return _encoded(fields or _NO_CHANGE)
        return _encoded(self._change(envelope))

    def _change(self, envelope: Fields) -> Mapping[str, object]:
        source, op = envelope.get("source"), _op(envelope)
        if op is None or not isinstance(source, dict):
            return _NO_CHANGE
        row = envelope.get("before" if op == "delete" else "after")
        fields: Fields = dict(row) if isinstance(row, dict) else {}
        unsent = [name for name, value in fields.items() if value in _PLACEHOLDERS]
        for name in unsent:
            del fields[name]
        if op == "truncate":
            fields |= self._of_no_row
        lsn = source.get("lsn")
        fields |= {
            OP: op,
            LSN: lsn,
            POSITION: f"{lsn:016X}/{envelope['op']}" if isinstance(lsn, int) else None,
            "change_transaction": source.get("txId"),
            CHANGED_AT: _time(source),
            UNSENT: [column for name in unsent for column in self._columns_of(name)],
        }
        return fields

    def _columns_of(self, name: str) -> tuple[str, ...]:
        """The contract's columns that read a column of the table."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._named.get(match_key(name), ())
        return found


def _payload(record: Any) -> Fields | None:
    """The envelope, or None for a tombstone with the converter's schema."""
    if isinstance(record, dict) and record.keys() == {"schema", "payload"}:
        record = record["payload"]
    if record is None:
        return None
    return record if isinstance(record, dict) else {}


def _op(envelope: Fields) -> ChangeOp | None:
    op = _OPS.get(str(envelope.get("op")))
    source = envelope.get("source")
    is_incremental = isinstance(source, dict) and source.get("snapshot") == _INCREMENTAL
    return "update" if op == "read" and is_incremental else op


def _tombstone(
    key: bytes | None, partition: int, offset: int, timestamp: int
) -> Mapping[str, object] | None:
    """A delete of the row that the record's key names; None if it names none."""
    try:
        named = _payload(_DECODE(key.decode())) if key else None
    except ValueError:
        return None
    if not named:
        return None
    return {
        **named,
        OP: "tombstone",
        POSITION: f"tombstone/{partition}/{offset}",
        CHANGED_AT: _instant(timestamp),
    }


def _time(source: Fields) -> str | None:
    """When the transaction was committed, to the microsecond where the record has it."""
    microseconds = source.get("ts_us")
    if not isinstance(microseconds, int):
        milliseconds = source.get("ts_ms")
        if not isinstance(milliseconds, int):
            return None
        microseconds = milliseconds * 1000
    return _instant(microseconds)


def _instant(microseconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return None


def _encoded(fields: Mapping[str, object]) -> bytes:
    # A surrogate alone is no UTF-8, which the rules of decoding reject.
    return _ENCODE(fields).encode(errors="surrogatepass")
