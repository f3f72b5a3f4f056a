"""An answer as named columns and plain rows: for a table, a CSV or Parquet file.

Belongs here: the names of the columns, and how the begin of a bucket is written. The formats
themselves belong to who prints or serves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from social_assets.metrics.answer import Answer, Row
from social_assets.metrics.grain import Grain

BEFORE, CHANGE = "_before", "_change"
"""What follows the name of a metric, if the question compares: the earlier value, and the relative
change since."""

Cell = str | float | int | None


def column_names(answer: Answer) -> tuple[str, ...]:
    """The bucket, if the answer has several, then the dimensions, then the metrics."""
    question = answer.question
    names = [] if question.grain is Grain.TOTAL else [question.grain.word]
    names += question.by
    for metric in answer.metrics:
        names.append(metric.name)
        if question.compare is not None:
            names += [metric.name + BEFORE, metric.name + CHANGE]
    return tuple(names)


def flat_rows(answer: Answer) -> Sequence[tuple[Cell, ...]]:
    """The rows under these names."""
    return [_flat(answer, row) for row in answer.rows]


def bucket_text(begin: datetime, grain: Grain, zone: ZoneInfo) -> str:
    """The begin of a bucket in the question's zone: `2026-11-02`, an hour with its offset."""
    local = begin.astimezone(zone)
    if grain is Grain.HOUR:
        return local.isoformat(timespec="minutes")
    return f"{local:%Y-%m}" if grain is Grain.MONTH else local.date().isoformat()


def _flat(answer: Answer, row: Row) -> tuple[Cell, ...]:
    question = answer.question
    cells: list[Cell] = []
    if row.bucket is not None:
        cells.append(bucket_text(row.bucket, question.grain, question.time_zone))
    cells += row.group
    if question.compare is None:
        return (*cells, *row.values)
    for values in zip(row.values, row.compared, row.changes(), strict=True):
        cells += values
    return tuple(cells)
