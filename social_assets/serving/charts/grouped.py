"""Charts of groups: bars with their values, columns by hour, heat maps of two dimensions.

Belongs here: their specifications.
"""

from __future__ import annotations

from typing import Any

from social_assets.serving.charts.figures import ColumnRole, TileFigures
from social_assets.serving.charts.number_text import WEEKDAYS, group_text, number_text
from social_assets.serving.charts.over_time import BEFORE, HEIGHT, value_axis
from social_assets.serving.charts.tile import Drawn
from social_assets.serving.charts.vega import Specification

BAR_HEIGHT = 27
CELL_HEIGHT = 26
_ALL_OF = {
    "hour_of_day": tuple(str(hour) for hour in range(24)),
    "told_hour": tuple(str(hour) for hour in range(24)),
    "weekday": tuple(str(day) for day in range(1, 8)),
}
"""The members of dimensions of time, which are shown in their order, with or without values."""

Datum = dict[str, Any]


def bars(tile: Drawn, figures: TileFigures) -> Specification:
    """Horizontal bars from zero, the value written at each end; a tick for the period before."""
    del tile
    data = _data(figures)
    greatest = max((d["v"] for d in data if d["v"] is not None), default=0)
    greatest = max([greatest, *(d["b"] for d in data if d.get("b"))]) or 1
    y = {
        "field": "g",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 120, "ticks": False, "domain": False, "labelPadding": 6},
    }
    # Room for the text of the longest bar, whatever the width; a change makes it longer.
    room = 1.3 if figures.position(ColumnRole.COMPARED) is None else 1.75
    x = {
        "field": "v",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, greatest * room], "nice": False},
    }
    layers: list[Specification] = [
        {
            "mark": {"type": "bar", "height": {"band": 0.68}, "cursor": "pointer"},
            "encoding": {"x": x, "tooltip": {"field": "tip"}},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 6, "style": "label", "aria": False},
            "encoding": {"x": {**x, "field": "end"}, "text": {"field": "text"}},
        },
    ]
    if figures.position(ColumnRole.COMPARED) is not None:
        tick = {"type": "tick", "style": "before", "thickness": 2, "height": 20, "aria": False}
        layers.insert(1, {"mark": tick, "encoding": {"x": {**x, "field": "b"}}})
    return {
        "height": max(2, len(data)) * BAR_HEIGHT,
        "data": {"values": data},
        "encoding": {"y": y},
        "layer": layers,
    }


def columns(tile: Drawn, figures: TileFigures) -> Specification:
    """Vertical columns from zero, in the order of the groups."""
    data = _data(figures)
    dimension = tile.by[0]
    data = _complete(data, dimension)
    greatest = max((d["v"] for d in data if d["v"] is not None), default=1)
    unit = figures.columns[figures.positions(ColumnRole.VALUE)[0]].unit
    return {
        "height": HEIGHT,
        "data": {"values": data},
        "mark": {"type": "bar", "cursor": "pointer"},
        "encoding": {
            "x": {
                "field": "g",
                "type": "ordinal",
                "sort": None,
                "title": None,
                "scale": {"paddingInner": 0.2},
                "axis": {"labelAngle": 0, "labelOverlap": "greedy", "ticks": False},
            },
            "y": {
                "field": "v",
                "type": "quantitative",
                "title": None,
                "scale": {"zero": True},
                "axis": value_axis(greatest, unit),
            },
            "tooltip": {"field": "tip"},
        },
    }


def heat_map(tile: Drawn, figures: TileFigures) -> Specification:
    """Cells of two dimensions: the first downwards, the second to the right."""
    down, right = tile.by
    at = figures.positions(ColumnRole.VALUE)[0]
    column = figures.columns[at]
    first = figures.positions(ColumnRole.GROUP)[0]
    data = [
        {
            "y": group_text(down, str(row[first])),
            "x": group_text(right, str(row[first + 1])),
            "v": row[at],
            "group": row[first],
            "group_2": row[first + 1],
            "tip": f"{texts[first]}, {texts[first + 1]}\n{texts[at]}",
        }
        for row, texts in zip(figures.rows, figures.texts(), strict=True)
    ]
    greatest = max((d["v"] for d in data if isinstance(d["v"], int | float)), default=1)
    ends = [0, greatest]
    ends_text = [number_text(v, column.unit, is_whole=column.is_whole, is_short=True) for v in ends]
    return {
        "height": len(_sorted(down, data, "y")) * CELL_HEIGHT,
        "data": {"values": data},
        "mark": {"type": "rect", "style": "cell", "cursor": "pointer"},
        "encoding": {
            "x": {
                "field": "x",
                "type": "ordinal",
                "title": None,
                "scale": {"domain": _sorted(right, data, "x")},
                "axis": {
                    "labelAngle": 0,
                    "labelOverlap": "greedy",
                    "labelSeparation": 4,
                    "ticks": False,
                    "domain": False,
                },
            },
            "y": {
                "field": "y",
                "type": "ordinal",
                "title": None,
                "scale": {"domain": _sorted(down, data, "y")},
                "axis": {"ticks": False, "domain": False, "labelLimit": 110},
            },
            "color": {
                "field": "v",
                "type": "quantitative",
                "scale": {"range": "ramp", "domain": ends},
                "legend": {
                    "orient": "bottom",
                    "direction": "horizontal",
                    "gradientLength": 160,
                    "gradientThickness": 10,
                    "title": None,
                    "values": ends,
                    "labelExpr": f"datum.value > 0 ? '{ends_text[1]}' : '{ends_text[0]}'",
                },
            },
            "tooltip": {"field": "tip"},
        },
    }


def _data(figures: TileFigures) -> list[Datum]:
    group, at = figures.position(ColumnRole.GROUP), figures.position(ColumnRole.VALUE)
    before, change = figures.position(ColumnRole.COMPARED), figures.position(ColumnRole.CHANGE)
    found: list[Datum] = []
    if group is None or at is None:
        return found
    for row, texts in zip(figures.rows, figures.texts(), strict=True):
        compared = row[before] if before is not None else None
        text, tip = texts[at], f"{texts[group]}\n{figures.columns[at].title}: {texts[at]}"
        if before is not None and change is not None and row[change] is not None:
            text += f"  {texts[change]}"
            tip += f"\n{BEFORE}: {texts[before]} ({texts[change]})"
        numbers = [v for v in (row[at], compared) if isinstance(v, int | float)]
        found.append(
            {
                "g": texts[group],
                "v": row[at],
                "b": compared or None,
                "end": max(numbers, default=0),
                "text": text,
                "tip": tip,
                "group": row[group],
            }
        )
    return found


def _complete(data: list[Datum], dimension: str) -> list[Datum]:
    """Every member of a dimension of time, in its order; other dimensions as they are."""
    if dimension not in _ALL_OF:
        return data
    known = {str(d["group"]): d for d in data}
    empty = [
        {"g": group_text(dimension, member), "v": None, "text": "", "tip": "", "group": member}
        for member in _ALL_OF[dimension]
    ]
    return [known.get(str(each["group"]), each) for each in empty]


def _sorted(dimension: str, data: list[Datum], field: str) -> list[str]:
    if dimension == "weekday":
        return list(WEEKDAYS)
    if dimension in _ALL_OF:
        return [group_text(dimension, member) for member in _ALL_OF[dimension]]
    found = list(dict.fromkeys(d[field] for d in data))
    return sorted(found) if dimension == "age_group" else found
