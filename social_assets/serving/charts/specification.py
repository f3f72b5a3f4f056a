"""The Vega-Lite specification of a tile and its figures, for page, report and Dagster's metadata.

Belongs here: the choice by kind of chart, and what all kinds share. Bars, columns and stacks begin
at zero, no chart has two axes for values, and no specification names a colour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from social_assets.serving.charts.band import band
from social_assets.serving.charts.figures import ColumnRole, TileFigures
from social_assets.serving.charts.grouped import bars, columns, heat_map
from social_assets.serving.charts.intervals import intervals
from social_assets.serving.charts.over_time import lines, sparkline, stack
from social_assets.serving.charts.tile import Chart, Drawn
from social_assets.serving.charts.vega import SCHEMA, Specification

DEFAULT_WIDTH = 560

_MAKERS: Mapping[Chart, Callable[[Drawn, TileFigures], Specification]] = {
    Chart.NUMBER: sparkline,
    Chart.LINE: lines,
    Chart.STACK: stack,
    Chart.BARS: bars,
    Chart.COLUMNS: columns,
    Chart.HEAT_MAP: heat_map,
    Chart.INTERVALS: intervals,
    Chart.BAND: band,
}


def specification(
    tile: Drawn, figures: TileFigures, width: int = DEFAULT_WIDTH
) -> Specification | None:
    """How the figures of a tile are drawn; None if the tile is no chart, or if there is nothing."""
    if tile.chart not in _MAKERS or not has_values(figures):
        return None
    return {
        "$schema": SCHEMA,
        "width": width,
        "autosize": {"type": "fit", "contains": "padding"},
        "description": description(tile, figures),
        **_MAKERS[tile.chart](tile, figures),
    }


def has_values(figures: TileFigures) -> bool:
    """Whether any value is known."""
    places = figures.positions(ColumnRole.VALUE)
    return any(row[place] is not None for row in figures.rows for place in places)


def description(tile: Drawn, figures: TileFigures) -> str:
    """What a screen reader says of the chart: its title, its size, and its greatest value."""
    at = figures.position(ColumnRole.VALUE)
    rows = [row for row in figures.rows if at is not None and row[at] is not None]
    if at is None or not rows:
        return f"{tile.title}: no values"
    number = max(range(len(figures.rows)), key=lambda n: _number(figures.rows[n][at]))
    texts = figures.texts()[number]
    shown = [
        texts[n]
        for n, column in enumerate(figures.columns)
        if column.role in (ColumnRole.TIME, ColumnRole.GROUP)
    ]
    where = f" ({', '.join(shown)})" if shown else ""
    return f"{tile.title}: {len(rows)} values, the greatest is {texts[at]}{where}"


def _number(cell: object) -> float:
    return float(cell) if isinstance(cell, int | float) else float("-inf")
