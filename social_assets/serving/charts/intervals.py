"""Estimates with their intervals: a point and a line a group, and a line at zero.

Belongs here: their specification. Figures have a value, and the columns of its lower and its upper
bound.
"""

from __future__ import annotations

from typing import Any

from social_assets.serving.charts.figures import ColumnRole, TileFigures
from social_assets.serving.charts.over_time import value_axis
from social_assets.serving.charts.tile import Drawn
from social_assets.serving.charts.vega import Specification

_HEIGHT = 34
_MARGIN = 0.06


def intervals(tile: Drawn, figures: TileFigures) -> Specification:
    """One row a group: its interval, its estimate, and where zero is."""
    del tile
    data = _data(figures)
    ends = [0.0, *(d["low"] for d in data), *(d["high"] for d in data)]
    least, greatest = min(ends), max(ends)
    margin = _MARGIN * (greatest - least or 1.0)
    column = figures.columns[figures.positions(ColumnRole.VALUE)[0]]
    x = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [least - margin, greatest + margin], "nice": False},
        "axis": value_axis(max(greatest, -least), column.unit),
    }
    y = {
        "field": "g",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 170, "ticks": False, "domain": False, "labelPadding": 6},
    }
    tooltip = {"field": "tip"}
    bounds = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "tooltip": tooltip}
    return {
        "height": max(2, len(data)) * _HEIGHT,
        "data": {"values": data},
        "layer": [
            {
                "data": {"values": [{"zero": 0}]},
                "mark": {"type": "rule", "style": "before", "strokeDash": [4, 3], "aria": False},
                "encoding": {"x": {**x, "field": "zero"}},
            },
            {"mark": {"type": "rule", "style": "interval", "strokeWidth": 2}, "encoding": bounds},
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": x, "y": y, "tooltip": tooltip},
            },
        ],
    }


def _data(figures: TileFigures) -> list[dict[str, Any]]:
    """The rows whose value and bounds are known."""
    group, value = figures.position(ColumnRole.GROUP), figures.position(ColumnRole.VALUE)
    low, high = figures.position(ColumnRole.LOW), figures.position(ColumnRole.HIGH)
    found: list[dict[str, Any]] = []
    if group is None or value is None or low is None or high is None:
        return found
    for row, texts in zip(figures.rows, figures.texts(), strict=True):
        if row[value] is None or row[low] is None or row[high] is None:
            continue
        found.append(
            {
                "g": texts[group],
                "v": row[value],
                "low": row[low],
                "high": row[high],
                "tip": f"{texts[group]}\n{texts[value]}, from {texts[low]} to {texts[high]}",
                "group": row[group],
            }
        )
    return found
