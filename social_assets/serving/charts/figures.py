"""The figures of a tile: columns, rows, and each cell as a text.

Belongs here: their type, and how an answer to a question becomes figures: buckets without a row,
ranks, index against the median. Tiles whose figures are no metrics make them directly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import TypeAlias
from zoneinfo import ZoneInfo

from social_assets.metrics.answer import OTHERS, Answer, Row, Value
from social_assets.metrics.formula import Additivity, Distinct, Total, Weighted
from social_assets.metrics.grain import Grain
from social_assets.metrics.metric import Metric
from social_assets.metrics.planner.buckets import bucket_begin, bucket_edges
from social_assets.serving.charts.number_text import (
    change_text,
    group_text,
    number_text,
    time_text,
)
from social_assets.serving.charts.tile import Tile

Cell: TypeAlias = str | float | int | datetime | None

BUCKET = "bucket"


class ColumnRole(StrEnum):
    """What a column is for."""

    TIME = "time"
    GROUP = "group"
    VALUE = "value"
    COMPARED = "compared"
    CHANGE = "change"
    LOW = "low"
    HIGH = "high"
    RANK = "rank"
    INDEX = "index"
    TEXT = "text"
    """A sentence: it wraps, where numbers stand below each other."""


@dataclass(frozen=True)
class TileColumn:
    """One column of figures."""

    name: str
    title: str
    role: ColumnRole
    unit: str = ""
    is_whole: bool = False

    def text(self, cell: Cell) -> str:
        """A cell as people read it."""
        if self.role is ColumnRole.GROUP:
            return group_text(self.name, str(cell))
        if isinstance(cell, datetime):
            return f"{cell:%Y-%m-%d %H:%M} UTC"
        if isinstance(cell, str):
            return cell
        if self.role is ColumnRole.CHANGE:
            return change_text(cell)
        return number_text(cell, self.unit, is_whole=self.is_whole)


@dataclass(frozen=True)
class TileFigures:
    """Rows of cells under columns. Times are local times of `zone`."""

    columns: tuple[TileColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    grain: Grain = Grain.TOTAL
    zone: str = "UTC"

    def position(self, role: ColumnRole) -> int | None:
        """The place of the first column of a role."""
        return next((n for n, column in enumerate(self.columns) if column.role is role), None)

    def positions(self, role: ColumnRole) -> list[int]:
        """The places of all columns of a role."""
        return [n for n, column in enumerate(self.columns) if column.role is role]

    def texts(self) -> list[list[str]]:
        """Every cell as people read it."""
        return [
            [
                time_text(cell, self.grain)
                if column.role is ColumnRole.TIME and isinstance(cell, datetime)
                else column.text(cell)
                for column, cell in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]


def figures_of(tile: Tile, answer: Answer) -> TileFigures:
    """The figures of a tile from the answer to its question."""
    question = answer.question
    is_over_time = question.grain is not Grain.TOTAL
    columns = [TileColumn(BUCKET, "Time", ColumnRole.TIME)] if is_over_time else []
    columns += [TileColumn(name, title_of(name), ColumnRole.GROUP) for name in question.by]
    readers: list[Callable[[Row], Cell]] = []
    for number, each in enumerate(answer.metrics):
        for column, reader in _columns_of(each, number, is_compared=question.compare is not None):
            columns.append(column)
            readers.append(reader)
    rows = _filled(answer) if is_over_time else list(answer.rows)
    zone = question.time_zone
    cells = [
        (
            *((_local(row.bucket, zone),) if is_over_time else ()),
            *row.group,
            *(read(row) for read in readers),
        )
        for row in rows
    ]
    figures = TileFigures(tuple(columns), tuple(cells), question.grain, question.zone)
    return _ranked(figures) if tile.is_ranked else figures


def is_whole(metric: Metric) -> bool:
    """Whether values of the metric are counts."""
    return isinstance(metric.formula, Total | Distinct | Weighted) and metric.unit != "points"


def _columns_of(
    metric: Metric, number: int, *, is_compared: bool
) -> list[tuple[TileColumn, Callable[[Row], Cell]]]:
    whole = is_whole(metric)
    found: list[tuple[TileColumn, Callable[[Row], Cell]]] = [
        (
            TileColumn(metric.name, metric.title, ColumnRole.VALUE, metric.unit, whole),
            lambda row: row.values[number],
        )
    ]
    if is_compared:
        before = TileColumn(
            f"{metric.name}_before", "Period before", ColumnRole.COMPARED, metric.unit, whole
        )
        change = TileColumn(f"{metric.name}_change", "Change", ColumnRole.CHANGE)
        found += [
            (before, lambda row: row.compared[number] if row.compared else None),
            (change, lambda row: row.changes()[number] if row.compared else None),
        ]
    return found


def title_of(dimension: str) -> str:
    """How a page names a dimension."""
    return dimension.replace("_", " ").capitalize()


def _filled(answer: Answer) -> list[Row]:
    """The rows with a row for each bucket of each group, between the first and the last bucket.

    A bucket without rows is 0 for what adds up, and has no value for what does not.
    """
    if not answer.rows:
        return []
    question = answer.question
    begun = [row.bucket for row in answer.rows if row.bucket is not None]
    first, last = min(begun), max(begun)
    zone, grain = question.time_zone, question.grain
    edges = [bucket_begin(edge, grain, zone) for edge in bucket_edges(question)[:-1]]
    buckets = [edge for edge in dict.fromkeys(edges) if first <= edge <= last]
    nothing: tuple[Value, ...] = tuple(
        0 if each.additivity is Additivity.ADDITIVE else None for each in answer.metrics
    )
    compared = nothing if question.compare else ()
    unknown: tuple[Value, ...] = (None,) * len(answer.metrics)
    newest = answer.freshness.newest_event
    by_place = {(row.group, row.bucket): row for row in answer.rows}
    groups = dict.fromkeys(row.group for row in answer.rows)

    def row_of(group: tuple[str, ...], bucket: datetime) -> Row:
        found = by_place.get((group, bucket)) or Row(bucket, group, nothing, compared)
        if newest is not None and bucket > newest:
            # Nothing has come yet: that is not zero.
            return Row(bucket, group, unknown, found.compared)
        empty = all(value is None for value in found.values)
        return Row(bucket, group, nothing, found.compared) if empty else found

    return [row_of(group, bucket) for group in _ordered(groups, answer) for bucket in buckets]


def _ordered(groups: dict[tuple[str, ...], None], answer: Answer) -> list[tuple[str, ...]]:
    """The groups by their sum, others last."""
    sums: dict[tuple[str, ...], float] = dict.fromkeys(groups, 0.0)
    for row in answer.rows:
        sums[row.group] += float(row.values[0] or 0)
    return sorted(groups, key=lambda group: (OTHERS in group, -sums[group], group))


def _local(bucket: datetime | None, zone: ZoneInfo) -> datetime | None:
    return None if bucket is None else bucket.astimezone(zone).replace(tzinfo=None)


def _ranked(figures: TileFigures) -> TileFigures:
    """With rank and index of the first metric: 100 is the median of the groups."""
    at = figures.position(ColumnRole.VALUE)
    if at is None or not figures.rows:
        return figures
    values = [row[at] for row in figures.rows]
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    middle = median(numbers) if numbers else 0.0
    ordered = sorted(numbers, reverse=True)
    added = (
        TileColumn("rank", "Rank", ColumnRole.RANK, is_whole=True),
        TileColumn("index", "Index (median = 100)", ColumnRole.INDEX, is_whole=True),
    )

    def extra(value: Cell) -> Sequence[Cell]:
        if not isinstance(value, int | float):
            return (None, None)
        index = value / middle * 100 if middle else None
        return (ordered.index(value) + 1, index)

    rows = tuple((*row, *extra(row[at])) for row in figures.rows)
    return TileFigures((*figures.columns, *added), rows, figures.grain, figures.zone)
