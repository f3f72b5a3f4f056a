"""A tile: which metrics are shown, divided how, as which kind of chart.

Belongs here: the declaration's type and its check. Dashboards and reports declare tiles; what a
tile asks belongs to `dashboards.tile_question`, how it is drawn to `specification`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from social_assets.metrics.dimension import Dimension
from social_assets.metrics.formula import Additivity
from social_assets.metrics.metric import Metric
from social_assets.metrics.planner.question import Filter
from social_assets.metrics.registry import UnknownMetricError, metric, subject_of

MOST_TILE_GROUPS = 200


class TileError(ValueError):
    """A tile can't be shown as declared; the text names the tile, the reason and what to change."""


class Chart(StrEnum):
    """How the figures of a tile are shown."""

    NUMBER = "number"
    """One number with its change and a sparkline."""
    LINE = "line"
    """Values over time, one line a group."""
    STACK = "stack"
    """Values over time that add up, one colour a group."""
    BARS = "bars"
    """One horizontal bar a group, the longest first."""
    COLUMNS = "columns"
    """One column an hour of the day or a weekday."""
    HEAT_MAP = "heat_map"
    """A cell for each pair of two groups."""
    INTERVALS = "intervals"
    """An estimate and its interval a group, beside zero; of figures that are no metrics."""
    BAND = "band"
    """Values over time with the band of their forecast; of figures that are no metrics."""
    TABLE = "table"
    """Rows and columns of numbers."""

    @property
    def is_over_time(self) -> bool:
        """Whether the grain of the page divides its figures."""
        return self in (Chart.LINE, Chart.STACK)


@dataclass(frozen=True)
class Tile:
    """One chart of a dashboard or a report."""

    name: str
    title: str
    metrics: tuple[str, ...]
    chart: Chart
    by: tuple[str, ...] = ()
    limit: int = 8
    with_others: bool = False
    is_compared: bool = False
    """Whether the values of the period before stand beside the values."""
    is_ranked: bool = False
    """Whether a table has rank and index against the median of its groups."""
    where: tuple[Filter, ...] = ()
    """Filters that always hold, beside those of the page."""
    drill: str = ""
    """The dimension whose members a click on a group lists, such as `post`."""
    note: str = ""
    """What a reader must know to read the tile rightly."""
    width: int = 6
    """Of the 12 columns of a page."""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise TileError(f"tile {self.name!r}: {problem}")

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions that every metric of the tile is known by."""
        if not self.metrics:
            return ()
        first, *others = (subject_of(name) for name in self.metrics)
        names = [{each.name for each in other.dimensions} for other in others]
        return tuple(d for d in first.dimensions if all(d.name in known for known in names))


class Drawn(Protocol):
    """What drawing needs to know of a tile."""

    @property
    def title(self) -> str:
        """Its title."""
        ...

    @property
    def chart(self) -> Chart:
        """Its kind of chart."""
        ...

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions that its figures are divided by."""
        ...

    @property
    def is_compared(self) -> bool:
        """Whether it shows the period before."""
        ...


_GROUPS = {
    Chart.NUMBER: (0, 0),
    Chart.LINE: (0, 1),
    Chart.STACK: (1, 1),
    Chart.BARS: (1, 1),
    Chart.COLUMNS: (1, 1),
    Chart.HEAT_MAP: (2, 2),
    Chart.TABLE: (0, 3),
}
"""The least and the greatest number of dimensions of each chart."""


def _problem(tile: Tile) -> str:
    """The first reason why the tile can't be shown; empty if it can."""
    if not tile.metrics:
        return "names no metric; `social-assets metrics` lists all"
    try:
        known = [metric(name) for name in tile.metrics]
    except UnknownMetricError as error:
        return str(error)
    return next(_problems(tile, known), "")


def _problems(tile: Tile, known: Sequence[Metric]) -> Iterator[str]:
    if tile.chart not in _GROUPS:
        yield f"a chart of kind {tile.chart} shows no metrics; choose another one"
        return
    least, most = _GROUPS[tile.chart]
    if not least <= len(tile.by) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        yield f"a chart of kind {tile.chart} is divided by {wanted} dimensions, not {len(tile.by)}"
    units = sorted({each.unit for each in known})
    if tile.chart is not Chart.TABLE and len(units) > 1:
        yield f"one axis can't show {' and '.join(units)}; make a tile for each, or a table"
    if tile.chart not in (Chart.TABLE, Chart.LINE) and len(known) > 1:
        yield f"a chart of kind {tile.chart} shows one metric; choose a line or a table for more"
    if tile.chart is Chart.LINE and len(known) > 1 and (tile.by or tile.is_compared):
        yield "lines of several metrics can't be divided or compared; choose a table"
    if tile.chart is Chart.STACK and any(m.additivity is not Additivity.ADDITIVE for m in known):
        yield f"values of {known[0].name} do not add up, so they can't be stacked; choose a line"
    if not 1 <= tile.limit <= MOST_TILE_GROUPS:
        yield f"shows 1 to {MOST_TILE_GROUPS} groups, not {tile.limit}"
    names = {each.name for each in tile.dimensions}
    for name in (*tile.by, *(each.dimension for each in tile.where), *filter(None, (tile.drill,))):
        if name not in names:
            yield f"its metrics are not known by {name!r}; they are known by {', '.join(names)}"
