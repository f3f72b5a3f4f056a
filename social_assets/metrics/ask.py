"""Asks the warehouse a question about metrics.

Belongs here: running the planned queries, and putting the parts of an answer together. Which tables
answer belongs to the planner; caching answers belongs to who serves them.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from social_assets.metrics.answer import OTHERS, Answer, Row, Value
from social_assets.metrics.dimension import KeyDimension
from social_assets.metrics.grain import Grain
from social_assets.metrics.labels import Labels
from social_assets.metrics.planner.buckets import bucket_begin, bucket_edges, compared_range
from social_assets.metrics.planner.plan import Plan, plan
from social_assets.metrics.planner.question import (
    MOST_GROUPS,
    MOST_VALUES,
    Filter,
    Question,
    check,
    subjects_of,
)
from social_assets.metrics.planner.sql import query_of
from social_assets.metrics.registry import metric

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_Place = tuple[tuple[str, ...], datetime | None]
_LABELS = Labels()


@dataclasses.dataclass(frozen=True)
class _Part:
    """What one query gave: values by group and bucket, in the order of the answer."""

    values: dict[_Place, tuple[Value, ...]]
    tables: tuple[str, ...]
    rows_read: int


def ask(client: Client, question: Question, labels: Labels = _LABELS) -> Answer:
    """The answer of a warehouse. Raises QuestionError, and clickhouse-connect's errors."""
    check(question)
    begun, asked_at = time.monotonic(), datetime.now(UTC)
    current = list(_values(client, question, labels))
    compared: dict[_Place, tuple[Value, ...]] = {}
    parts = list(current)
    if question.compare is not None:
        start, end = compared_range(question)
        earlier = dataclasses.replace(question, start=start, end=end, compare=None)
        before = list(_values(client, _of_the_same_groups(earlier, parts), labels))
        parts += before
        compared = _moved(question, earlier, _combined(earlier, before))
    rows = [
        Row(bucket, group, values, compared.get((group, bucket), (None,) * len(values)))
        if question.compare
        else Row(bucket, group, values)
        for (group, bucket), values in _combined(
            question, parts[: len(subjects_of(question))]
        ).items()
    ]
    return Answer(
        question,
        tuple(metric(name) for name in question.metrics),
        tuple(rows),
        tuple(dict.fromkeys(table for part in parts for table in part.tables)),
        sum(part.rows_read for part in parts),
        time.monotonic() - begun,
        asked_at,
    )


def _values(client: Client, question: Question, labels: Labels) -> Iterator[_Part]:
    """One part a subject. The first one, of the ordering metric, decides the groups."""
    parts: list[_Part] = []
    for subject in subjects_of(question):
        asked = _of_the_same_groups(question, parts) if parts else question
        parts.append(_run(client, plan(asked, subject), labels))
    yield from parts


def _of_the_same_groups(question: Question, parts: Sequence[_Part]) -> Question:
    """The question for the groups that another part has, where it divides by one dimension."""
    if len(question.by) != 1 or question.with_others:
        return dataclasses.replace(question, limit=MOST_GROUPS)
    groups = {group[0] for part in parts[:1] for group, _ in part.values}
    if not groups or len(groups) > MOST_VALUES:
        return dataclasses.replace(question, limit=MOST_GROUPS)
    kept = [each for each in question.where if each.dimension != question.by[0]]
    named = Filter(question.by[0], tuple(sorted(groups)))
    return dataclasses.replace(question, where=(*kept, named), limit=len(groups))


def _run(client: Client, planned: Plan, labels: Labels) -> _Part:
    query = query_of(planned)
    result = client.query(
        query.text,
        parameters=dict(query.parameters),
        # The summary, which tells the rows read, is then that of the whole query.
        settings={"wait_end_of_query": 1},
    )
    groups = _labelled(client, planned, result.result_rows, labels)
    zone, grain = planned.question.time_zone, planned.question.grain
    width = 1 + len(planned.by)
    values = {
        (group, _bucket(row[0], grain, zone)): tuple(_plain(each) for each in row[width:])
        for group, row in zip(groups, result.result_rows, strict=True)
    }
    return _Part(values, planned.tables, int(result.summary.get("read_rows", 0)))


def _labelled(
    client: Client, planned: Plan, rows: Sequence[Sequence[object]], labels: Labels
) -> list[tuple[str, ...]]:
    columns: list[list[str]] = []
    for number, dimension in enumerate(planned.by, 1):
        keys = [None if row[number] is None else str(row[number]) for row in rows]
        if isinstance(dimension, KeyDimension):
            known = labels.of(client, dimension, {key for key in keys if key is not None})
            columns.append([OTHERS if key is None else known[key] for key in keys])
        else:
            columns.append([OTHERS if key is None else key for key in keys])
    return list(zip(*columns, strict=True)) if columns else [()] * len(rows)


def _bucket(value: object, grain: Grain, zone: ZoneInfo) -> datetime | None:
    """The begin of a bucket, in UTC: where clocks are put back, a local time is two instants."""
    if grain is Grain.TOTAL:
        return None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
    return datetime.fromtimestamp(int(str(value)), UTC)


def _plain(value: object) -> Value:
    if value is None or isinstance(value, int):
        return value
    number = float(str(value))
    return None if number != number else number  # noqa: PLR0124 - NaN


def _combined(question: Question, parts: Sequence[_Part]) -> dict[_Place, tuple[Value, ...]]:
    """The parts of several subjects side by side, in the question's order of metrics."""
    subjects = subjects_of(question)
    own = {subject: [m.name for m in subject.metrics] for subject in subjects}
    positions: list[tuple[int, int]] = []
    for name in question.metrics:
        part = next(n for n, subject in enumerate(subjects) if name in own[subject])
        asked = [each for each in question.metrics if each in own[subjects[part]]]
        positions.append((part, asked.index(name)))
    groups = {group for group, _ in parts[0].values}
    is_cut = len(groups) >= question.limit
    places = dict.fromkeys(
        place for part in parts for place in part.values if not is_cut or place[0] in groups
    )
    return {
        place: tuple(
            parts[part].values[place][column] if place in parts[part].values else None
            for part, column in positions
        )
        for place in places
    }


def _moved(
    question: Question, earlier: Question, values: dict[_Place, tuple[Value, ...]]
) -> dict[_Place, tuple[Value, ...]]:
    """The earlier values under the buckets of the question: the first under the first."""
    if question.grain is Grain.TOTAL:
        return values
    zone = question.time_zone
    now, before = (
        [bucket_begin(edge, question.grain, zone) for edge in edges[:-1]]
        for edges in (bucket_edges(question), bucket_edges(earlier))
    )
    under = dict(zip(before, now, strict=False))
    return {
        (group, under[bucket]): row
        for (group, bucket), row in values.items()
        if bucket is not None and bucket in under
    }
