"""Finds the rows that a failed insert has written.

The engine writes an insert block by block, and a block partition by partition and view by view. An
error leaves the rows that were written before it. The client must know this, or its retry doubles
rows. The engine's error does not say it; its log of parts does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from resources.embedded_clickhouse.errors import ClickHouseError
from resources.embedded_clickhouse.query.engine import Connection, Engine

_NOTHING = "No MergeTree table got rows from it."
_ROWS = (
    "Rows were written before it failed, by it or by others at the same time: {tables}. Send it "
    "again with the same insert_deduplication_token, if it had one; else remove its rows first"
)
_UNKNOWN = (
    "Whether rows were written before it failed is not known ({reason}): count them before you "
    "send it again without an insert_deduplication_token"
)
_TABLES_SHOWN = 5
_WRITTEN_SINCE = """
SELECT database || '.' || table AS name, sum(rows) FROM system.part_log
WHERE event_type = 'NewPart' AND error = 0
  AND database NOT IN ('system', '_temporary_and_external_tables')
  AND event_time_microseconds >= fromUnixTimestamp64Micro({since:Int64})
GROUP BY name ORDER BY name
"""


def open_part_log(engine: Engine) -> None:
    """Create the table of the log while the disk has space for it."""
    with _connection(engine) as connection:
        connection.run("SYSTEM FLUSH LOGS part_log")


@contextmanager
def told_truly(engine: Engine) -> Iterator[None]:
    """Add to an error of an insert in this block the tables that got rows since it began."""
    began = time.time_ns() // 1000
    try:
        yield
    except ClickHouseError as error:
        told = _told(engine, began)
        text = error.message.rstrip()
        stop = "" if text.endswith(".") else "."
        raise ClickHouseError(error.code, error.name, f"{text}{stop} {told}") from error


def _told(engine: Engine, began: int) -> str:
    """The tables that got rows, or why they are unknown. Keeps the error of the insert."""
    try:
        rows = _rows_written_since(engine, began)
    except ClickHouseError as error:
        return _UNKNOWN.format(reason=error.message.rstrip().rstrip("."))
    return _ROWS.format(tables=_listed(rows)) if rows else _NOTHING


def _listed(rows: Mapping[str, int]) -> str:
    named = [f"{table} {count}" for table, count in list(rows.items())[:_TABLES_SHOWN]]
    more = len(rows) - len(named)
    return ", ".join(named) + (f" and {more} more tables" if more else "")


def _rows_written_since(engine: Engine, began: int) -> dict[str, int]:
    with _connection(engine) as connection:
        connection.run("SYSTEM FLUSH LOGS part_log")
        answer = connection.run(_WRITTEN_SINCE, "JSONCompactEachRow", {"since": str(began)})
    pairs = (json.loads(line) for line in answer.body.splitlines())
    return {table: int(rows) for table, rows in pairs}


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    """A new connection, because settings of the request must not affect these queries."""
    connection = engine.connect()
    try:
        yield connection
    finally:
        connection.close()
