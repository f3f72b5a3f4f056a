"""Reads the forecasts of engagement for their dashboard.

Belongs here: one function a tile. The asset `forecasts/engagement` writes the tables; before its
first run the tiles are empty.
"""

from __future__ import annotations

from datetime import UTC, datetime

from social_assets.forecasts.tables import FORECASTS, SERIES
from social_assets.metrics.grain import Grain
from social_assets.serving.charts.figures import Cell, ColumnRole, TileColumn, TileFigures
from social_assets.serving.charts.number_text import RATIO
from social_assets.serving.dashboards.health.tile import HealthSource
from social_assets.warehouse.tables import is_of_missing_table

TABLES = (FORECASTS.name, SERIES.name)
_UNIT = "interactions"
_MOST_PLATFORMS = 4
_MOST_ROWS = 50
_TIME = TileColumn("bucket", "Time", ColumnRole.TIME)
_PLATFORM = TileColumn("platform", "Platform", ColumnRole.GROUP)
_BAND = (
    TileColumn("actual", "Actual", ColumnRole.VALUE, _UNIT, is_whole=True),
    TileColumn("forecast", "Expected", ColumnRole.VALUE, _UNIT, is_whole=True),
    TileColumn("lower_95", "Lower bound, 95 %", ColumnRole.LOW, _UNIT, is_whole=True),
    TileColumn("upper_95", "Upper bound, 95 %", ColumnRole.HIGH, _UNIT, is_whole=True),
)
_STEP = "actual, forecast, lower_95, upper_95"


def by_day(source: HealthSource) -> TileFigures:
    """All platforms together by day: the last 28 days, and the next."""
    return _together(source, Grain.DAY)


def by_hour(source: HealthSource) -> TileFigures:
    """All platforms together by hour: the last 48 hours, and the next."""
    return _together(source, Grain.HOUR)


def platforms_by_day(source: HealthSource) -> TileFigures:
    """The platforms with the most expected engagement, by day."""
    found = _rows(
        source,
        f"SELECT toUnixTimestamp(time), platform, {_STEP} FROM {FORECASTS.name}\n"
        "WHERE grain = 'day' AND account = '' AND platform IN (\n"
        f"  SELECT platform FROM {FORECASTS.name}\n"
        "  WHERE grain = 'day' AND account = '' AND platform != ''\n"
        f"  GROUP BY platform ORDER BY sum(forecast) DESC, platform LIMIT {_MOST_PLATFORMS})\n"
        "ORDER BY platform, time",
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_instant(at), str(platform), *map(_number, step)) for at, platform, *step in found
    )
    return TileFigures((_TIME, _PLATFORM, *_BAND), rows, Grain.DAY)


def anomalies(source: HealthSource) -> TileFigures:
    """Values outside of their band, the farthest of the newest days first."""
    found = _rows(
        source,
        "SELECT platform, account, grain, toString(time), actual, forecast, lower_95, upper_95\n"
        f"FROM {FORECASTS.name} WHERE is_anomaly\n"
        f"ORDER BY toDate(time) DESC, distance DESC, platform, account LIMIT {_MOST_ROWS}",
    )
    columns = (
        _PLATFORM,
        TileColumn("account", "Account", ColumnRole.TEXT),
        TileColumn("grain", "By", ColumnRole.TEXT),
        TileColumn("at", "Begin (UTC)", ColumnRole.TEXT),
        *_BAND,
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            str(platform) or "all",
            str(account) or "all",
            str(grain),
            str(at)[: 16 if grain == "hour" else 10],
            *map(_number, step),
        )
        for platform, account, grain, at, *step in found
    )
    return TileFigures(columns, rows)


def models(source: HealthSource) -> TileFigures:
    """How many series each model forecasts, its error, and how often its intervals held."""
    found = _rows(
        source,
        "SELECT model, grain, count(), medianOrNull(error), medianOrNull(naive_error),\n"
        f"  avgOrNull(coverage_80), avgOrNull(coverage_95) FROM {SERIES.name}\n"
        "GROUP BY model, grain ORDER BY grain, count() DESC, model",
    )
    columns = (
        TileColumn("model", "Model", ColumnRole.GROUP),
        TileColumn("grain", "By", ColumnRole.TEXT),
        TileColumn("series", "Series", ColumnRole.VALUE, is_whole=True),
        TileColumn("error", "Median error (MASE)", ColumnRole.VALUE),
        TileColumn("naive_error", "Of seasonal naive", ColumnRole.VALUE),
        TileColumn("coverage_80", "Coverage of 80 %", ColumnRole.VALUE, RATIO),
        TileColumn("coverage_95", "Coverage of 95 %", ColumnRole.VALUE, RATIO),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (str(model), str(grain), int(str(series)), *map(_number, measures))
        for model, grain, series, *measures in found
    )
    return TileFigures(columns, rows)


def _together(source: HealthSource, grain: Grain) -> TileFigures:
    found = _rows(
        source,
        f"SELECT toUnixTimestamp(time), {_STEP} FROM {FORECASTS.name}\n"
        f"WHERE grain = '{grain.word}' AND platform = '' AND account = '' ORDER BY time",
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_instant(at), *map(_number, step)) for at, *step in found
    )
    return TileFigures((_TIME, *_BAND), rows, grain)


def _rows(source: HealthSource, query: str) -> list[tuple[object, ...]]:
    """The rows of a query; none if the tables are not made yet."""
    try:
        return [tuple(row) for row in source.client.query(query).result_rows]
    except Exception as error:
        if is_of_missing_table(error):
            return []
        raise


def _instant(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(seconds)), UTC).replace(tzinfo=None)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
