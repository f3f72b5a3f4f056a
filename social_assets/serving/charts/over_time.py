"""Charts over time: lines with labels at their ends, stacked columns, sparklines.

Belongs here: their specifications. The labels of lines are moved apart here, since Vega-Lite has no
layout of labels, so that the page and the report place them alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from social_assets.metrics.grain import Grain
from social_assets.serving.charts.figures import ColumnRole, TileColumn, TileFigures
from social_assets.serving.charts.number_text import axis_format
from social_assets.serving.charts.tile import Drawn
from social_assets.serving.charts.vega import Specification

HEIGHT = 230
SPARK_HEIGHT = 44
_LABEL_HEIGHT = 14
_LONGEST_LABEL = 18
_FEW_POINTS = 45
NOW, BEFORE = "This period", "Period before"

_TIME_FORMATS = {
    Grain.HOUR: "%-d %b %H:%M",
    Grain.DAY: "%-d %b",
    Grain.WEEK: "%-d %b",
    Grain.MONTH: "%b %Y",
}

Point = dict[str, Any]
"""One row of a specification's data: `t`, `s`(eries), `v`(alue), `tip`."""


def lines(tile: Drawn, figures: TileFigures) -> Specification:
    """One line a group or metric, each with its name at its end."""
    points = _points(tile, figures)
    value = _value_column(figures)
    least, greatest = _ends(points)
    series = list(dict.fromkeys(p["s"] for p in points))
    is_single = len(series) == 1
    x = time_axis(figures)
    y = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [least, greatest], "nice": False},
        "axis": value_axis(max(greatest, -least), value.unit),
    }
    before = {"condition": {"test": f"datum.s === '{BEFORE}'", "value": [4, 3]}, "value": [1, 0]}
    encoding: dict[str, Any] = {"x": x, "y": y}
    if not is_single:
        encoding |= {"color": _colors(series), "strokeDash": before}
    mark: dict[str, Any] = {"type": "line", "strokeWidth": 2}
    layers: list[Specification] = [
        {"mark": mark, "encoding": encoding},
        _dots(encoding, is_shown=len(points) / max(1, len(series)) <= _FEW_POINTS),
    ]
    labels = [] if is_single else _end_labels(points, series, least, greatest)
    if labels:
        layers.append(
            {
                "data": {"values": labels},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "dx": 8,
                    "style": "end_label",
                    "aria": False,
                },
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "at"},
                    "text": {"field": "label"},
                    "color": _colors(series),
                },
            }
        )
    return {
        "height": HEIGHT,
        "data": {"values": points},
        "layer": layers,
        "padding": {"left": 4, "top": 8, "bottom": 4, "right": 8},
    }


def stack(tile: Drawn, figures: TileFigures) -> Specification:
    """Columns over time, one colour a group."""
    points = _points(tile, figures)
    series = list(dict.fromkeys(p["s"] for p in points))
    sums: dict[Any, float] = {}
    for point in points:
        sums[point["t"]] = sums.get(point["t"], 0) + (point["v"] or 0)
    value = _value_column(figures)
    axis = value_axis(max(sums.values(), default=1), value.unit)
    color = _colors(series)
    color["legend"] = {
        "orient": "top",
        "title": None,
        "columns": 4,
        "symbolType": "square",
        "labelLimit": 100,
    }
    return {
        "height": HEIGHT,
        "data": {"values": points},
        "mark": {"type": "bar", "style": "cell"},
        "encoding": {
            "x": _band_axis(figures, points),
            "y": {
                "field": "v",
                "type": "quantitative",
                "aggregate": "sum",
                "title": None,
                "axis": axis,
            },
            "color": color,
            "order": {"field": "o"},
            "tooltip": {"field": "tip"},
        },
    }


def sparkline(tile: Drawn, figures: TileFigures) -> Specification:
    """A line without axes beside a number."""
    points = _points(tile, figures)
    return {
        "height": SPARK_HEIGHT,
        "padding": 3,
        "data": {"values": points},
        "encoding": {
            "x": {"field": "t", "type": "temporal", "scale": {"type": "utc"}, "axis": None},
            "y": {"field": "v", "type": "quantitative", "axis": None, "scale": {"zero": False}},
        },
        "layer": [
            {"mark": {"type": "line", "style": "spark", "strokeWidth": 1.5}},
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0},
                "encoding": {"tooltip": {"field": "tip"}},
            },
        ],
    }


def value_axis(greatest: float, unit: str) -> dict[str, Any]:
    """The axis of values, from zero: thousands and millions by one letter."""
    form = axis_format(greatest, unit)
    label = f"datum.value == 0 ? '0' : replace(format(datum.value, '{form}'), 'G', 'B')"
    return {"labelExpr": label, "tickCount": 4, "domain": False}


def _points(tile: Drawn, figures: TileFigures) -> list[Point]:
    time, group = figures.position(ColumnRole.TIME), figures.position(ColumnRole.GROUP)
    values, compared = figures.positions(ColumnRole.VALUE), figures.position(ColumnRole.COMPARED)
    orders: dict[str, int] = {}
    points: list[Point] = []
    for row, texts in zip(figures.rows, figures.texts(), strict=True):
        if time is None or not isinstance(row[time], datetime):
            continue
        places = [(at, figures.columns[at].title) for at in values]
        if group is not None:
            places = [(values[0], texts[group])]
        elif compared is not None and tile.is_compared:
            places = [(values[0], NOW), (compared, BEFORE)]
        for at, series in places:
            name = "" if len(places) == 1 and group is None else f"{series}: "
            points.append(
                {
                    "t": f"{row[time]:%Y-%m-%dT%H:%M:%S}Z",
                    "s": series,
                    "v": row[at],
                    "o": orders.setdefault(series, len(orders)),
                    "tip": f"{texts[time]}\n{name}{texts[at]}",
                    **({"group": row[group]} if group is not None else {}),
                }
            )
    return points


def time_axis(figures: TileFigures) -> dict[str, Any]:
    """A continuous axis, with no more ticks than buckets."""
    buckets = _buckets(figures)
    few = len(buckets) <= 7
    return {
        "field": "t",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {
            "format": _TIME_FORMATS.get(figures.grain, "%-d %b"),
            "grid": False,
            "labelOverlap": "greedy",
            "labelSeparation": 12,
            "labelFlush": False,
            **(
                {"values": [f"{b:%Y-%m-%dT%H:%M:%S}Z" for b in buckets]}
                if few
                else {"tickCount": 6}
            ),
        },
    }


def _band_axis(figures: TileFigures, points: Sequence[Point]) -> dict[str, Any]:
    del points
    shown = _TIME_FORMATS.get(figures.grain, "%-d %b")
    return {
        "field": "t",
        "type": "ordinal",
        "title": None,
        "scale": {"paddingInner": 0.15},
        "axis": {
            "labelExpr": f"utcFormat(toDate(datum.value), '{shown}')",
            "labelAngle": 0,
            "labelOverlap": "greedy",
            "labelSeparation": 12,
            "ticks": False,
        },
    }


def _dots(encoding: dict[str, Any], *, is_shown: bool) -> Specification:
    """Points that show the value to a pointer, also where no dot is drawn."""
    dots = {key: each for key, each in encoding.items() if key != "strokeDash"}
    opacity = 1 if is_shown else 0
    return {
        "mark": {"type": "point", "filled": True, "size": 26, "opacity": opacity},
        "encoding": {**dots, "tooltip": {"field": "tip"}},
    }


def _colors(series: Sequence[str]) -> dict[str, Any]:
    """A colour a name. Names are sorted, so that a group keeps its colour when ranks change."""
    domain = sorted(series, key=lambda name: (name == BEFORE, name == "others", name))
    return {
        "field": "s",
        "type": "nominal",
        "scale": {"domain": domain, "range": "category"},
        "legend": None,
    }


def _ends(points: Sequence[Point]) -> tuple[float, float]:
    """The ends of the axis: from zero, and below it if a value is."""
    values = [p["v"] for p in points if p["v"] is not None]
    least, greatest = min(values, default=0), max(values, default=1)
    if least >= 0:
        return 0, _nice(greatest)
    return -_nice(-least), _nice(greatest) if greatest > 0 else 0


def _end_labels(
    points: Sequence[Point], series: Sequence[str], least: float, greatest: float
) -> list[Point]:
    """A label at the end of each line, moved up or down until none covers another."""
    last: dict[str, Point] = {}
    for point in points:
        if point["v"] is not None:
            last[point["s"]] = point
    end = max((p["t"] for p in last.values()), default="")
    found = sorted((last[name] for name in series if name in last), key=lambda p: float(p["v"]))
    step = _LABEL_HEIGHT / HEIGHT * (greatest - least)
    places: list[float] = []
    for point in found:
        place = float(point["v"])
        places.append(max(place, places[-1] + step) if places else max(place, least + step / 2))
    ceiling = greatest + step / 2
    for number in reversed(range(len(places))):
        places[number] = min(places[number], ceiling)
        ceiling = places[number] - step
    return [
        {"t": end, "s": point["s"], "label": _short(point["s"]), "at": place}
        for point, place in zip(found, places, strict=True)
    ]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"


def _nice(greatest: float) -> float:
    """The least of 1, 1.2, 1.5, 2, 2.5, ... times a power of ten that is not below the value."""
    if greatest <= 0:
        return 1.0
    power = 1.0
    while power > greatest:
        power /= 10
    while power * 10 <= greatest:
        power *= 10
    steps = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(step * power for step in steps if step * power >= greatest * 0.999999)


def _buckets(figures: TileFigures) -> list[datetime]:
    time = figures.position(ColumnRole.TIME)
    if time is None:
        return []
    found = dict.fromkeys(row[time] for row in figures.rows)
    return [bucket for bucket in found if isinstance(bucket, datetime)]


def _value_column(figures: TileFigures) -> TileColumn:
    return figures.columns[figures.positions(ColumnRole.VALUE)[0]]
