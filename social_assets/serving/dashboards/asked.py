"""What a page asks of a tile: range, grain, filters, time zone; and the question that results.

Belongs here: reading the parameters of a page's URL, and making questions of a tile. Filters whose
dimension a tile's metrics are not known by do not narrow it, and the tile says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import (
    ComparedRange,
    Filter,
    Question,
    QuestionError,
    check,
)
from social_assets.metrics.planner.read_question import Texts, read_grain, read_range, read_zone
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import GRAINS, Dashboard

FILTER_PREFIX = "f."
"""Parameters that begin with it are filters, such as `f.platform`."""
DRILL_PREFIX = "d."
"""Parameters that begin with it are the groups of the bar that a drill begins at."""
DRILL_LIMIT = 50
_SPARK_DAYS = timedelta(days=2)
_COMPARED = {
    "": ComparedRange.PREVIOUS,
    "previous": ComparedRange.PREVIOUS,
    "year": ComparedRange.YEAR,
}


@dataclass(frozen=True)
class Asked:
    """The parameters of a page."""

    start: datetime
    end: datetime
    grain: Grain
    zone: str
    filters: tuple[Filter, ...] = ()
    drill: tuple[Filter, ...] = ()
    compare: ComparedRange = ComparedRange.PREVIOUS


def read_asked(
    parameters: Sequence[tuple[str, str]], dashboard: Dashboard | None, now: datetime
) -> Asked:
    """What the parameters of a URL ask. Raises QuestionError, which names the parameter."""
    single = dict(parameters)
    zone = read_zone(single.get("zone") or "UTC")
    default = dashboard.range if dashboard else "last_30_days"
    start_text, end_text = single.get("from", ""), single.get("to", "")
    preset = single.get("range") or ("" if start_text or end_text else default)
    texts = Texts((), start=start_text, end=end_text, range=preset)
    start, end = read_range(texts, zone, now)
    grain = read_grain(single.get("grain") or (dashboard.grain if dashboard else Grain.DAY).word)
    if grain not in GRAINS:
        raise QuestionError("grain", f"must be one of {', '.join(g.word for g in GRAINS)}")
    compare = single.get("compare", "")
    if compare not in _COMPARED:
        raise QuestionError("compare", f"{compare[:20]!r} is no comparison; write previous or year")
    return Asked(
        start,
        end,
        grain,
        zone.key,
        _filters(parameters, FILTER_PREFIX),
        _filters(parameters, DRILL_PREFIX),
        _COMPARED[compare],
    )


def question_of(tile: Tile, asked: Asked) -> Question:
    """The question whose answer the tile shows. Raises QuestionError."""
    question = Question(
        metrics=tile.metrics,
        start=asked.start,
        end=asked.end,
        grain=asked.grain if tile.chart.is_over_time else Grain.TOTAL,
        by=tile.by,
        where=_merged((*tile.where, *applied(tile, asked))),
        zone=asked.zone,
        compare=asked.compare if tile.is_compared else None,
        limit=tile.limit,
        with_others=tile.with_others,
    )
    check(question)
    return question


def sparkline_question(tile: Tile, asked: Asked) -> Question:
    """The question of the line beside a number: the same by day, or by hour of a short range."""
    grain = Grain.HOUR if asked.end - asked.start <= _SPARK_DAYS else asked.grain
    question = question_of(dataclasses.replace(tile, is_compared=False), asked)
    return dataclasses.replace(question, grain=grain)


def drilled(tile: Tile) -> Tile:
    """The tile that lists the members behind a group of a tile."""
    return Tile(
        f"{tile.name}_drill",
        tile.title,
        tile.metrics,
        Chart.TABLE,
        by=(tile.drill,),
        limit=DRILL_LIMIT,
        where=tile.where,
    )


def applied(tile: Tile, asked: Asked) -> tuple[Filter, ...]:
    """The filters of the page that the tile's metrics are known by."""
    known = {each.name for each in tile.dimensions}
    return tuple(each for each in (*asked.filters, *asked.drill) if each.dimension in known)


def not_applied(tile: Tile, asked: Asked) -> tuple[str, ...]:
    """The dimensions by which the page is filtered and the tile is not."""
    known = {each.name for each in tile.dimensions}
    return tuple(each.dimension for each in asked.filters if each.dimension not in known)


def _filters(parameters: Sequence[tuple[str, str]], prefix: str) -> tuple[Filter, ...]:
    found: dict[str, list[str]] = {}
    for name, value in parameters:
        if name.startswith(prefix) and value:
            found.setdefault(name.removeprefix(prefix), []).append(value)
    return tuple(
        Filter(name, tuple(sorted(dict.fromkeys(values)))) for name, values in sorted(found.items())
    )


def _merged(filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """One filter a dimension: the values that all filters of it have."""
    kept: dict[str, tuple[str, ...]] = {}
    for each in filters:
        before = kept.get(each.dimension)
        values = each.values if before is None else tuple(v for v in before if v in each.values)
        kept[each.dimension] = values or ("\0nothing",)
    return tuple(Filter(name, values) for name, values in sorted(kept.items()))
