"""Reads the figures of the platform itself.

Belongs here: one function a health tile. Counts of the lake come from Delta's logs, those of the
warehouse from ClickHouse; nothing is stored, and no lock is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.contracts.registry import contracts
from social_assets.metrics.grain import Grain
from social_assets.serving.charts.figures import Cell, ColumnRole, TileColumn, TileFigures
from social_assets.serving.charts.number_text import RATIO
from social_assets.serving.dashboards.health.tile import HealthSource
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    from social_assets.pipeline.stores import StreamStores

STREAM = TileColumn("stream", "Stream", ColumnRole.GROUP)
COMMENT = "dashboard platform_health"


def freshness(source: HealthSource) -> TileFigures:
    """The newest event and the newest load of each stream, and the seconds between them."""
    rows: list[tuple[Cell, ...]] = []
    for stream in _streams():
        found = _rows(
            source,
            f"SELECT max(event_time), max(ingested_at), count() FROM cleaned.{stream}",
        )
        newest, loaded, number = found[0] if found else (None, None, 0)
        if not number or not isinstance(newest, datetime) or not isinstance(loaded, datetime):
            rows.append((stream, "no records", "no records", None, 0))
            continue
        lag = max(0.0, (_aware(loaded) - _aware(newest)).total_seconds() / 60)
        rows.append((stream, _aware(newest), _aware(loaded), lag, int(str(number))))
    columns = (
        STREAM,
        TileColumn("newest_event", "Newest event", ColumnRole.INDEX),
        TileColumn("newest_load", "Newest load", ColumnRole.INDEX),
        TileColumn("lag", "Lag", ColumnRole.VALUE, "minutes", is_whole=True),
        TileColumn("records", "Records", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, tuple(rows))


def accepted_by_day(source: HealthSource) -> TileFigures:
    """Accepted records of each stream by event date."""
    rows: list[tuple[Cell, ...]] = []
    first, last = _days(source)
    for stream in _streams():
        found = _rows(
            source,
            f"SELECT event_date, count() FROM cleaned.{stream} WHERE event_date >= '{first}'"
            f" AND event_date <= '{last}' GROUP BY event_date ORDER BY event_date",
        )
        rows += [
            (datetime.combine(day, datetime.min.time()), stream, int(str(number)))
            for day, number in found
            if isinstance(day, date)
        ]
    columns = (
        TileColumn("bucket", "Time", ColumnRole.TIME),
        STREAM,
        TileColumn("records", "Accepted records", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, tuple(rows), Grain.DAY)


def rejected_share(source: HealthSource) -> TileFigures:
    """The part of each stream's raw records that was rejected, by event date in the range."""
    rows: list[tuple[Cell, ...]] = []
    for stream in _stores(source):
        raw = _within(source, stream.raw.rows_by_day())
        rejected = _within(source, stream.quarantine.rows_by_day(verdict="rejected"))
        rows.append((stream.name, rejected / raw if raw else None))
    rows.sort(key=lambda row: -float(str(row[1] or 0)))
    share = TileColumn("rejected_share", "Rejected share", ColumnRole.VALUE, RATIO)
    return TileFigures((STREAM, share), tuple(rows))


def rejected_by_rule(source: HealthSource) -> TileFigures:
    """Rejected records by the rule that they broke."""
    from social_assets.quality.rejected_counts import by_rule_and_day, rejected_counts

    first, last = _days(source)
    sums: dict[str, int] = {}
    for stream in _stores(source):
        for (rule, day), number in by_rule_and_day(rejected_counts(stream)).items():
            if first <= day <= last:
                sums[rule] = sums.get(rule, 0) + number
    greatest = sorted(sums.items(), key=lambda each: (-each[1], each[0]))[:10]
    columns = (
        TileColumn("rule", "Rule", ColumnRole.GROUP),
        TileColumn("records", "Rejected records", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, tuple(greatest))


def invariants(source: HealthSource) -> TileFigures:
    """For each stream, the days of the range on which the two sides of an invariant differ."""
    from social_assets.quality.invariants import LakeEqualsWarehouse, RawIsAccountedFor

    first, last = _days(source)
    rows: list[tuple[Cell, ...]] = []
    for stream in _stores(source):
        for each in (RawIsAccountedFor(stream.declared), LakeEqualsWarehouse(stream.declared)):
            sides = each.figures(stream.stores, None, COMMENT)
            days = [day for day in {*sides.one, *sides.other} if first <= day <= last]
            differing = sum(sides.one.get(day) != sides.other.get(day) for day in days)
            text = "holds" if not differing else "differs: its check in Dagster names the days"
            rows.append((stream.name, each.name.replace("_", " "), len(days), differing, text))
    columns = (
        STREAM,
        TileColumn("invariant", "Invariant", ColumnRole.GROUP),
        TileColumn("days", "Days", ColumnRole.VALUE, is_whole=True),
        TileColumn("differing", "Days that differ", ColumnRole.VALUE, is_whole=True),
        TileColumn("result", "Result", ColumnRole.INDEX),
    )
    return TileFigures(columns, tuple(rows))


def pending_days(source: HealthSource) -> TileFigures:
    """Days that a layer of the warehouse does not hold yet, by stream and layer."""
    found = _rows(
        source,
        "SELECT stream, layer, countIf(pending) FROM (SELECT stream, layer, event_date,"
        " argMax(is_pending, changed_at) AS pending FROM cleaned.pending_days"
        " GROUP BY stream, layer, event_date) GROUP BY stream, layer ORDER BY stream, layer",
    )
    columns = (
        STREAM,
        TileColumn("layer", "Layer", ColumnRole.GROUP),
        TileColumn("days", "Pending days", ColumnRole.VALUE, is_whole=True),
    )
    return TileFigures(columns, tuple((str(a), str(b), int(str(n))) for a, b, n in found))


def count_of(read: Callable[[HealthSource], TileFigures], column: str, title: str) -> _Count:
    """A single number: the sum of a column of another tile."""
    return _Count(read, column, title)


class _Count:
    def __init__(
        self, read: Callable[[HealthSource], TileFigures], column: str, title: str
    ) -> None:
        self._read, self._column, self._title = read, column, title

    def __call__(self, source: HealthSource) -> TileFigures:
        figures = self._read(source)
        at = next(n for n, each in enumerate(figures.columns) if each.name == self._column)
        values = [row[at] for row in figures.rows]
        total = sum(int(v) for v in values if isinstance(v, int | float))
        return TileFigures(
            (TileColumn(self._column, self._title, ColumnRole.VALUE, is_whole=True),), ((total,),)
        )


def _rows(source: HealthSource, query: str) -> list[tuple[object, ...]]:
    """The rows of a query; none if the table is not made yet."""
    try:
        return [tuple(row) for row in source.client.query(query).result_rows]
    except Exception as error:
        if is_of_missing_table(error):
            return []
        raise


def _streams() -> list[str]:
    return [each.name for each in contracts()]


def _stores(source: HealthSource) -> list[StreamStores]:
    return [source.stores().of(each, COMMENT) for each in contracts()]


def _days(source: HealthSource) -> tuple[date, date]:
    """The first and the last UTC date of the range."""
    last = source.end.astimezone(UTC) - timedelta(microseconds=1)
    return source.start.astimezone(UTC).date(), last.date()


def _within(source: HealthSource, rows: dict[date, int]) -> int:
    first, last = _days(source)
    return sum(number for day, number in rows.items() if first <= day <= last)


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
