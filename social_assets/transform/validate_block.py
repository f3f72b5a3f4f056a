"""Validates raw records block by block: of a file, a micro-batch, or whole days.

Belongs here: the query that opens, cleans and validates a block and finds its event dates, and the
one that only finds the dates. A query is compiled once and run on every block. The rules belong to
`validate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import lru_cache
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resources.settings.first_date import earliest_event_date
from resources.settings.variables import ENGINE_MEMORY
from social_assets.contracts.contract import Contract, PlaceInSource
from social_assets.contracts.options.csv_format import dialect_and_header
from social_assets.ingest.cdc.envelope import ChangeReader
from social_assets.transform.decode import Shape, opened, shape_of, with_fields
from social_assets.transform.derived_keys import ELEMENT_COLUMN, SOURCE_COLUMNS
from social_assets.transform.duckdb_engine import (
    BlockQuery,
    Session,
    is_of_disk,
)
from social_assets.transform.landed_keys import KEY_HASH, key_hash
from social_assets.transform.queries.compiled_query import compiled_query
from social_assets.transform.repeated_keys import RepeatedKeys, with_last_values
from social_assets.transform.single_byte_text import to_utf8
from social_assets.transform.standardize import (
    cleaned,
    landing_date,
)
from social_assets.transform.validate import validated
from social_assets.transform.values.times import with_times

INPUT = {
    "record_bytes": "binary",
    "mended_text": "string",
    "csv_header": "string",
    "source": "string",
    "partition": "int32",
    "offset": "int64",
    "timestamp": "timestamp",
    "ingested_at": "timestamp",
    "row": "int64",
}
"""The columns that the query reads; `row` counts the block's records from 0. `mended_text` is the
text of a record that has a JSON key twice, with its last value alone."""


_SAMPLED = 32
_MOST_SAMPLED_BYTES = 1 << 16
"""So many records of a stream's first block, up to so large, are read for their keys."""


class RecordTooLargeError(RuntimeError):
    """The engine has too little memory for one record; names the record and the remedy."""

    def __init__(self, raw: pa.Table, error: duckdb.Error) -> None:
        (row,) = raw.select(["origin", "partition", "offset"]).to_pylist()
        place = f"{row['origin']}, partition {row['partition']}, offset {row['offset']}"
        super().__init__(
            f"{place}: the engine has no memory for this record alone "
            f"({str(error).splitlines()[0]}); raise {ENGINE_MEMORY}"
        )


Build = Callable[[ir.Table, Contract, Shape], ir.Table]
"""Makes the expression over a block (the columns of INPUT) for the spellings of a shape. Its answer
has `row`, `spare_keys` and `keys_hash`."""


class _SpelledQuery:
    """A query over one stream's records, block after block.

    Compiles the query again only if a block has a new spelling of a column or a new CSV header.
    """

    def __init__(self, session: Session, contract: Contract, build: Build) -> None:
        self._session = session
        self._contract = contract
        self._build = build
        self._input = _input(contract)
        self._keys: set[str] = set()
        self._headers: set[str] = set()
        self._query: BlockQuery | None = None
        self._repeated = RepeatedKeys()
        self._changes = ChangeReader(contract) if contract.capture is not None else None

    def of(self, raw: pa.Table) -> pa.Table:
        """The answer for a block: one row a record of `raw`, in its order.

        A block that needs too much memory is processed in halves; raises RecordTooLargeError where
        one record is too much.
        """
        try:
            return self._of_all(raw)
        except duckdb.OutOfMemoryException as error:
            if is_of_disk(error):
                raise
            if raw.num_rows == 1:
                # Without its traceback, whose frames hold the engine's memory.
                raise RecordTooLargeError(raw, error) from error.with_traceback(None)
        half = raw.num_rows // 2
        return pa.concat_tables([self.of(raw.slice(0, half)), self.of(raw.slice(half))])

    def _of_all(self, raw: pa.Table) -> pa.Table:
        block = self._block(raw)
        headers = set(block["csv_header"].unique().drop_null().to_pylist())
        if self._query is None:
            self._keys |= _keys_of_some(block["record_bytes"])
        if self._query is None or not headers <= self._headers:
            self._headers |= headers
            self._query = self._compiled(block.schema)
        answer = self._query.run(block)
        spare = set(answer["spare_keys"].combine_chunks().flatten().unique().to_pylist())
        if self._shape(self._keys | spare) != self._shape(self._keys):
            self._keys |= spare
            self._query = self._compiled(block.schema)
            answer = self._query.run(block)
        answer = _in_order(answer)
        repeats = self._repeated.found(answer["keys_hash"], block["record_bytes"])
        if repeats is not None:
            answer = _in_order(self._query.run(_mended(block, repeats)))
        return answer.drop_columns(["row", "spare_keys", "keys_hash"])

    def _block(self, raw: pa.Table) -> pa.Table:
        if self._changes is not None:
            # Raw keeps the envelope; what is validated is the row that it carries.
            raw = raw.set_column(
                raw.column_names.index("value"), "value", self._changes.opened(raw)
            )
        rows = raw.rename_columns({"value": "record_bytes"})
        rows = rows.append_column("row", pa.array(np.arange(raw.num_rows)))
        rows = rows.append_column("mended_text", pa.nulls(raw.num_rows, pa.string()))
        columns = {name: rows[name] for name in self._input}
        for name in ("timestamp", "ingested_at"):
            columns[name] = columns[name].cast(pa.timestamp("us"))
        # A tombstone has no bytes: it is validated, and rejected, as a record without text.
        columns["record_bytes"] = columns["record_bytes"].fill_null(b"")
        columns["record_bytes"] = _as_utf8(columns["record_bytes"], columns["csv_header"])
        return pa.table(columns)

    def _shape(self, keys: set[str]) -> Shape:
        return shape_of(self._contract, keys, self._headers)

    def _compiled(self, schema: pa.Schema) -> BlockQuery:
        if self._query is not None:
            self._query.close()
        query = _query(
            self._build,
            _Same(self._contract),
            frozenset(self._keys),
            frozenset(self._headers),
            first_date=earliest_event_date(),
            folder=self._session.queries,
        )
        return self._session.block_query(query, schema)


class _Same:
    """A contract that is equal to itself only: equal ones may have other functions as rules."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.contract is self.contract

    def __hash__(self) -> int:
        return id(self.contract)


# Making a query of a contract takes as long as validating 60,000 records. Its text has 60 KB.
# Who collects from a platform makes a validator for every batch of every stream.
@lru_cache(maxsize=64)
def _query(
    build: Build,
    contract: _Same,
    keys: frozenset[str],
    headers: frozenset[str],
    *,
    first_date: date,
    folder: Path | None,
) -> str:
    """The query over the blocks of a stream in which these keys and headers are known.

    It must contain no value of a record: `folder` keeps it for later processes. `first_date` is the
    installation's, which the rules read by themselves.
    """
    del first_date
    records = ibis.table(_input(contract.contract), name=Session.BLOCK)
    shape = shape_of(contract.contract, keys, headers)
    return compiled_query(build(records, contract.contract, shape).op(), folder)


def _input(contract: Contract) -> dict[str, str]:
    """The columns that a contract's query reads."""
    derived = [column.derive for column in contract.columns.values()]
    if not any(isinstance(each, PlaceInSource) for each in derived):
        return INPUT
    return INPUT | SOURCE_COLUMNS | (ELEMENT_COLUMN if contract.explode is not None else {})


Refuse = Callable[[pa.Table], pa.Table]
"""Adds reasons that no rule of the contract has to the answer of `BlockValidator.of`."""


class BlockValidator:
    """Validates one stream's records, block after block."""

    def __init__(self, session: Session, contract: Contract, refuse: Refuse | None = None) -> None:
        self._query = _SpelledQuery(session, contract, _validated)
        self._refuse = refuse

    def of(self, raw: pa.Table) -> pa.Table:
        """Validate a block. Returns one row a record of `raw` (raw columns, UTC), in its order.

        Columns: those of the contract's cleaned rows, `event_date`, `reasons` ('' if accepted, else
        rule names joined), and KEY_HASH. Raises RecordTooLargeError.
        """
        answer = self._query.of(raw)
        return answer if self._refuse is None else self._refuse(answer)


class EventDates:
    """Finds the event dates of one stream's records without validating them, block after block:
    for records that only land.
    """

    def __init__(self, session: Session, contract: Contract) -> None:
        self._has_event_time = contract.event_time is not None
        self._query = _SpelledQuery(session, contract, _dated)

    def of(self, raw: pa.Table) -> pa.Table:
        """The column `event_date` that `BlockValidator` gives. Raises RecordTooLargeError."""
        if not self._has_event_time:
            return pa.table({"event_date": raw["timestamp"].cast(pa.date32())})
        return self._query.of(raw)


def _as_utf8(values: pa.ChunkedArray, headers: pa.ChunkedArray) -> pa.ChunkedArray:
    """The records' bytes, those of files in another encoding as UTF-8."""
    for stored in headers.unique().drop_null().to_pylist():
        encoding = dialect_and_header(stored)[0].encoding
        if encoding != "utf-8":
            is_of_it = pc.fill_null(pc.equal(headers, stored), False).combine_chunks()
            whole = values.combine_chunks()
            converted = to_utf8(whole.filter(is_of_it), encoding)
            values = pa.chunked_array([pc.replace_with_mask(whole, is_of_it, converted)])
    return values


def _keys_of_some(records: pa.ChunkedArray) -> set[str]:
    """The JSON keys of some records, so that the first query knows nearly all spellings: to make
    another one takes a second. The engine tells the keys that are missing here.
    """
    rows = np.unique(np.linspace(0, max(0, len(records) - 1), _SAMPLED, dtype=np.int64))
    found: set[str] = set()
    for value in records.take(pa.array(rows[: len(records)])).to_pylist():
        with suppress(ValueError, RecursionError):
            record = json.loads(value) if len(value) <= _MOST_SAMPLED_BYTES else None
            if isinstance(record, dict):
                # Half a surrogate pair, for one, cannot stand in a query.
                found.update(key for key in record if key.isprintable())
    return found


def _mended(block: pa.Table, mask: pa.Array) -> pa.Table:
    """The block with the `mended_text` of records that have a JSON key twice, by the mask."""
    texts = block["record_bytes"].combine_chunks().filter(mask).cast(pa.string())
    none = pa.nulls(block.num_rows, pa.string())
    mended = pc.replace_with_mask(none, mask, with_last_values(texts))
    index = block.column_names.index("mended_text")
    return block.set_column(index, block.schema.field("mended_text"), mended)


def _in_order(answer: pa.Table) -> pa.Table:
    """Sort by row, the order of the block.

    Each thread of DuckDB answers some thousand rows in their order. To put these runs in order
    takes a third of the time of sorting rows.
    """
    rows = answer["row"].to_numpy()
    begins = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    if (np.diff(rows[begins]) > 0).all():
        return answer
    ends = np.append(begins[1:], len(rows))
    order = np.argsort(rows[begins])
    runs = [answer.slice(begins[each], ends[each] - begins[each]) for each in order.tolist()]
    return pa.concat_tables(runs).combine_chunks()


def _opened(records: ir.Table, contract: Contract) -> ir.Table:
    table = opened(records, contract.max_record_bytes)
    return table.mutate(json_text=ibis.coalesce(table.mended_text, table.json_text))


def _dated(records: ir.Table, contract: Contract, shape: Shape) -> ir.Table:
    name = str(contract.event_time)
    fields = with_fields(_opened(records, contract), shape, [contract.columns[name]])
    read = with_times(fields, [contract.columns[name]])
    return read.select("row", "spare_keys", "keys_hash", event_date=landing_date(read, contract))


def _validated(records: ir.Table, contract: Contract, shape: Shape) -> ir.Table:
    fields = with_fields(_opened(records, contract), shape, contract.source_columns)
    table = validated(cleaned(fields, contract), contract)
    return table.select(
        "row",
        "spare_keys",
        "keys_hash",
        *[c.name for c in contract.cleaned_columns],
        "reasons",
        event_date=landing_date(table, contract),
        **{KEY_HASH: key_hash(table, contract)},
    )
