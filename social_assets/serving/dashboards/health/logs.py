"""Reads the log lines of the platform's processes for tiles.

Belongs here: one function a tile. The table is filled by the shipper (`social-assets ship-logs`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from social_assets.metrics.grain import Grain
from social_assets.serving.charts.figures import Cell, ColumnRole, TileColumn, TileFigures
from social_assets.serving.dashboards.health.tile import HealthSource
from social_assets.warehouse.logs.table import LOGS
from social_assets.warehouse.tables import is_of_missing_table

_SEVERE = "('ERROR', 'CRITICAL')"
_LATEST = 50
_SHOWN_CHARACTERS = 300
_BY_HOUR = timedelta(days=3)
_PROCESS = TileColumn("process", "Process", ColumnRole.GROUP)


def errors(source: HealthSource) -> TileFigures:
    """How many lines are errors."""
    return _count(source, f"level IN {_SEVERE}", "errors", "Errors")


def warnings(source: HealthSource) -> TileFigures:
    """How many lines are warnings."""
    return _count(source, "level = 'WARNING'", "warnings", "Warnings")


def lines(source: HealthSource) -> TileFigures:
    """How many lines there are."""
    return _count(source, "1", "lines", "Log lines")


def errors_by_process(source: HealthSource) -> TileFigures:
    """Errors of each process by hour, or by day in a range of more than three days."""
    grain = Grain.HOUR if source.end - source.start <= _BY_HOUR else Grain.DAY
    bucket = "toStartOfHour(time)" if grain is Grain.HOUR else "toDateTime(toDate(time), 'UTC')"
    found = _rows(
        source,
        f"SELECT {bucket} AS bucket, process, count() FROM {LOGS} WHERE level IN {_SEVERE}"
        f" AND {_RANGE} GROUP BY bucket, process ORDER BY bucket, process",
    )
    rows = tuple(
        (at.replace(tzinfo=None), str(process), int(str(number)))
        for at, process, number in found
        if isinstance(at, datetime)
    )
    columns = (
        TileColumn("bucket", "Time", ColumnRole.TIME),
        _PROCESS,
        TileColumn("errors", "Errors", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, rows, grain)


def lines_by_process(source: HealthSource) -> TileFigures:
    """Lines, warnings and errors of each process."""
    found = _rows(
        source,
        "SELECT process, count(), countIf(level = 'WARNING'),"
        f" countIf(level IN {_SEVERE}) AS errors FROM {LOGS} WHERE {_RANGE}"
        " GROUP BY process ORDER BY errors DESC, process",
    )
    columns = (
        _PROCESS,
        *(
            TileColumn(name, title, ColumnRole.VALUE, is_whole=True)
            for name, title in (("lines", "Lines"), ("warnings", "Warnings"), ("errors", "Errors"))
        ),
    )
    return TileFigures(
        columns, tuple((str(name), *(int(str(n)) for n in numbers)) for name, *numbers in found)
    )


def latest_errors(source: HealthSource) -> TileFigures:
    """The errors of the range, each text once, the one that came last first."""
    found = _rows(
        source,
        "SELECT max(time) AS newest, process, left(argMax(run_id, time), 8),"
        f" left(text, {_SHOWN_CHARACTERS}) AS said, count() FROM {LOGS}"
        f" WHERE level IN {_SEVERE} AND {_RANGE}"
        f" GROUP BY process, said ORDER BY newest DESC LIMIT {_LATEST}",
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (at, str(process), str(run), " ".join(str(text).split()), int(str(number)))
        for at, process, run, text, number in found
        if isinstance(at, datetime)
    )
    columns = (
        TileColumn("time", "Newest", ColumnRole.INDEX),
        _PROCESS,
        TileColumn("run", "Run", ColumnRole.INDEX),
        TileColumn("text", "Text", ColumnRole.INDEX),
        TileColumn("times", "Times", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, rows)


_RANGE = (
    "time >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')"
    " AND time < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)


def _count(source: HealthSource, condition: str, name: str, title: str) -> TileFigures:
    found = _rows(source, f"SELECT count() FROM {LOGS} WHERE {condition} AND {_RANGE}")
    column = TileColumn(name, title, ColumnRole.VALUE, is_whole=True)
    return TileFigures((column,), ((int(str(found[0][0])) if found else 0,),))


def _rows(source: HealthSource, query: str) -> list[tuple[object, ...]]:
    """The rows of a query; none if no line was ever shipped."""
    given = {
        "start": int(source.start.timestamp() * 1000),
        "end": int(source.end.timestamp() * 1000),
    }
    try:
        return [tuple(row) for row in source.client.query(query, parameters=given).result_rows]
    except Exception as error:
        if is_of_missing_table(error):
            return []
        raise
