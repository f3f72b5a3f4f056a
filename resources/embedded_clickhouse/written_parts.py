"""What a failed insert has written all the same.

An insert of more than one block is written block by block, and one block partition by partition
and view by view, so an error leaves what was written before it. The client must know, or its retry
doubles rows. The engine does not tell; the parts on disk do.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.embedded_clickhouse.engine import Engine
from resources.embedded_clickhouse.errors import ClickHouseError

_NOTHING = "No MergeTree table got rows from it."
_ROWS = (
    "Rows were written before it failed, by it or by others at the same time: {tables}. Send it "
    "again with the same insert_deduplication_token, if it had one; else remove its rows first"
)
_TABLES_SHOWN = 5
# Files are stamped by the coarse clock, which lags behind the fine one by up to a tick.
_CLOCK = getattr(time, "CLOCK_REALTIME_COARSE", time.CLOCK_REALTIME)


@contextmanager
def told_truly(engine: Engine) -> Iterator[None]:
    """Adds to an error of an insert in this block what tables got rows since it began."""
    began = time.clock_gettime_ns(_CLOCK)
    try:
        yield
    except ClickHouseError as error:
        rows = _rows_written_since(engine, began)
        told = _ROWS.format(tables=_listed(rows)) if rows else _NOTHING
        text = error.message.rstrip()
        stop = "" if text.endswith(".") else "."
        raise ClickHouseError(error.code, error.name, f"{text}{stop} {told}") from error


def _listed(rows: Counter[str]) -> str:
    named = [f"{table} {count}" for table, count in rows.most_common(_TABLES_SHOWN)]
    more = len(rows) - len(named)
    return ", ".join(named) + (f" and {more} more tables" if more else "")


def _rows_written_since(engine: Engine, began: int) -> Counter[str]:
    """By table; parts that were merged since are still listed, as inactive ones."""
    # A connection of its own: settings of the request would hold for this query too.
    connection = engine.connect()
    try:
        answer = connection.run(
            "SELECT database || '.' || table, path, rows FROM system.parts "
            "WHERE level = 0 AND toUnixTimestamp(modification_time) >= {since:UInt64}",
            "JSONCompactEachRow",
            {"since": str(began // 10**9)},
        )
    finally:
        connection.close()
    found: Counter[str] = Counter()
    for line in answer.body.splitlines():
        table, path, rows = json.loads(line)
        try:
            is_new = Path(path).stat().st_mtime_ns >= began
        except FileNotFoundError:
            # Dropped meanwhile, with its rows.
            continue
        if is_new:
            found[table] += int(rows)
    return found
