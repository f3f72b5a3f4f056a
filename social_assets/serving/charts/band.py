"""Values over time with the band of their forecast: actual, expected, an interval, values outside.

Belongs here: their specification. Figures have a time, two values, the actual one first and the
expected one second, and the lower and the upper bound; either value may be missing. A group is a
colour of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from social_assets.serving.charts.figures import Cell, ColumnRole, TileFigures
from social_assets.serving.charts.over_time import HEIGHT, time_axis, value_axis
from social_assets.serving.charts.tile import Drawn
from social_assets.serving.charts.vega import Specification

_OUTSIDE_SIZE, _SIZE = 60, 12
_ABOVE = 1.06


def band(tile: Drawn, figures: TileFigures) -> Specification:
    """A line of actual values, a dashed one of expected ones over their band, points outside."""
    del tile
    data = _data(figures)
    least = min([0.0, *(d["low"] for d in data)])
    known = [float(d[name]) for d in data for name in ("v", "high") if d[name] is not None]
    greatest = _ABOVE * max(known, default=1.0)
    column = figures.columns[figures.positions(ColumnRole.VALUE)[0]]
    x = time_axis(figures)
    y: dict[str, Any] = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [least, greatest], "nice": False},
        "axis": value_axis(greatest, column.unit),
    }
    shared: dict[str, Any] = {"x": x, **_color(data)}
    layers: list[Specification] = [
        {
            "mark": {"type": "area", "opacity": 0.18, "aria": False},
            "encoding": {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.5, "strokeDash": [4, 3]},
            "encoding": {**shared, "y": {**y, "field": "f"}},
        },
    ]
    dot: dict[str, Any] = {"type": "point", "filled": True, "size": _OUTSIDE_SIZE}
    # Vega warns of a layer without values, so one is left out.
    if any(d["v"] is not None for d in data):
        layers += [
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {**shared, "y": y}},
            {"mark": {**dot, "size": _SIZE, "opacity": 1}, "encoding": {**shared, "y": y}},
        ]
    if any(d["outside"] is not None for d in data):
        ring = {**dot, "filled": False, "strokeWidth": 2, "opacity": 1}
        layers.append({"mark": ring, "encoding": {**shared, "y": {**y, "field": "outside"}}})
    pointed = {"x": x, "y": {**y, "field": "f"}, "tooltip": {"field": "tip"}}
    return {
        "height": HEIGHT,
        "padding": {"left": 4, "top": 8, "bottom": 4, "right": 8},
        "data": {"values": data},
        "layer": [*layers, {"mark": {**dot, "opacity": 0}, "encoding": pointed}],
    }


def _color(data: list[dict[str, Any]]) -> dict[str, Any]:
    """A colour a group, named above the chart; nothing for figures without groups."""
    groups = sorted({d["s"] for d in data})
    if len(groups) <= 1:
        return {}
    return {
        "color": {
            "field": "s",
            "type": "nominal",
            "scale": {"domain": groups, "range": "category"},
            "legend": {
                "orient": "top",
                "title": None,
                "columns": 4,
                "labelLimit": 100,
                "symbolOpacity": 1,
            },
        }
    }


def _data(figures: TileFigures) -> list[dict[str, Any]]:
    """The rows that have an expected value and its bounds."""
    time, group = figures.position(ColumnRole.TIME), figures.position(ColumnRole.GROUP)
    low, high = figures.position(ColumnRole.LOW), figures.position(ColumnRole.HIGH)
    actual, expected = figures.positions(ColumnRole.VALUE)
    found: list[dict[str, Any]] = []
    if time is None or low is None or high is None:
        return found
    for row, texts in zip(figures.rows, figures.texts(), strict=True):
        at, value, least, greatest = row[time], row[actual], row[low], row[high]
        if not isinstance(at, datetime) or row[expected] is None:
            continue
        if not isinstance(least, int | float) or not isinstance(greatest, int | float):
            continue
        name = "" if group is None else f"{texts[group]}: "
        told = "" if value is None else f"{texts[actual]}, "
        found.append(
            {
                "t": f"{at:%Y-%m-%dT%H:%M:%S}Z",
                "s": "" if group is None else texts[group],
                "v": value,
                "f": row[expected],
                "low": least,
                "high": greatest,
                "outside": value if _is_outside(value, least, greatest) else None,
                "tip": f"{texts[time]}\n{name}{told}expected {texts[expected]}\n"
                f"95 %: {texts[low]} to {texts[high]}",
                **({} if group is None else {"group": row[group]}),
            }
        )
    return found


def _is_outside(value: Cell, least: float, greatest: float) -> bool:
    return isinstance(value, int | float) and not least <= value <= greatest
