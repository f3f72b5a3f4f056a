"""Asks the warehouse a question about metrics.

Belongs here: running the planned queries, and putting the parts of an answer together. Which tables
answer belongs to the planner; caching answers belongs to who serves them.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from social_assets.metrics.answer import OTHERS, Answer, Row, Value
from social_assets.metrics.answer_invariants import InvariantsOfSubjects
from social_assets.metrics.dimension import KeyDimension
from social_assets.metrics.freshness import FreshnessOfSubjects
from social_assets.metrics.grain import Grain
from social_assets.metrics.labels import Labels
from social_assets.metrics.planner.buckets import bucket_begin, bucket_edges, earlier_question
from social_assets.metrics.planner.plan import Kept, Plan, plan
from social_assets.metrics.planner.question import Question, check, metrics_of, subjects_of
from social_assets.metrics.planner.sql import MOST_BYTES, query_of
from social_assets.metrics.registry import metric, subject_of
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_Group = tuple[str, ...] | None
"""Values of the dimensions as queries return them; None for the groups beyond the limit."""
_Place = tuple[_Group, datetime | None]
_Values = dict[_Place, tuple[Value, ...]]
_LABELS = Labels()
_FRESHNESS = FreshnessOfSubjects()
_INVARIANTS = InvariantsOfSubjects()


class TablesMissingError(RuntimeError):
    """The warehouse lacks a table of the question: it is new, or older than this version."""

    def __init__(self, tables: Sequence[str]) -> None:
        """Name the tables of which one is missing."""
        super().__init__(
            f"the warehouse lacks one of the tables {', '.join(tables)}; "
            "`social-assets deploy` makes it"
        )


@dataclasses.dataclass(frozen=True)
class _Part:
    """What one query gave: values by group and bucket, in the order of the subject's metrics."""

    values: _Values
    tables: tuple[str, ...]
    rows_read: int


def ask(
    client: Client,
    question: Question,
    labels: Labels = _LABELS,
    freshness: FreshnessOfSubjects = _FRESHNESS,
    invariants: InvariantsOfSubjects = _INVARIANTS,
) -> Answer:
    """The answer of a warehouse. Raises QuestionError, and clickhouse-connect's errors."""
    check(question)
    begun, asked_at = time.monotonic(), datetime.now(UTC)
    parts = _parts(client, question)
    ranges = [(question.start, question.end)]
    current, compared = _combined(question, parts), None
    groups = tuple(dict.fromkeys(group for group, _ in current if group is not None))
    if not question.by:
        groups = ((),)
    if question.compare is not None:
        earlier = earlier_question(question)
        ranges.append((earlier.start, earlier.end))
        before = _parts(client, earlier, groups) if groups else []
        parts += before
        compared = _moved(question, earlier, _combined(earlier, before) if before else {})
    names = _names(client, question, groups, labels)
    subjects = subjects_of(question)
    tables = tuple(dict.fromkeys(table for part in parts for table in part.tables))
    return Answer(
        question,
        tuple(metric(name) for name in question.metrics),
        tuple(_rows(question, current, compared, names)),
        tables,
        sum(part.rows_read for part in parts),
        time.monotonic() - begun,
        asked_at,
        freshness.of(client, subjects, ranges),
        invariants.of(client, subjects, tables, ranges),
    )


def _parts(
    client: Client, question: Question, groups: tuple[tuple[str, ...], ...] | None = None
) -> list[_Part]:
    """One part a subject, for these groups.

    Without them, the first query, of the ordering metric's subject, chooses as many groups as the
    limit allows; another subject adds groups only if there are fewer.
    """
    parts: list[_Part] = []
    kept = None if groups is None or not question.by else Kept(groups, 0)
    for subject in subjects_of(question):
        parts.append(_run(client, plan(question, subject, kept)))
        if groups is None and question.by:
            found = dict.fromkeys(g for part in parts for g, _ in part.values if g is not None)
            kept = Kept(tuple(found), question.limit - len(found)) if found else None
    return parts


def _run(client: Client, planned: Plan) -> _Part:
    query = query_of(planned)
    try:
        result = client.query(
            query.text,
            parameters=dict(query.parameters),
            # The summary, which tells the rows read, is then that of the whole query.
            settings={"wait_end_of_query": 1, "max_query_size": MOST_BYTES},
        )
    except Exception as error:
        if is_of_missing_table(error):
            raise TablesMissingError(planned.tables) from error
        raise
    zone, grain = planned.question.time_zone, planned.question.grain
    width = 1 + len(planned.by)
    values = {
        (_group(row[1:width]), _bucket(row[0], grain, zone)): tuple(map(_plain, row[width:]))
        for row in result.result_rows
    }
    return _Part(values, planned.tables, int(result.summary.get("read_rows", 0)))


def _group(values: Sequence[object]) -> _Group:
    return None if None in values else tuple(map(str, values))


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


def _combined(question: Question, parts: Sequence[_Part]) -> _Values:
    """The parts of several subjects side by side, in the question's order of metrics."""
    subjects = subjects_of(question)
    columns: list[tuple[_Part, int, Value]] = []
    for name in question.metrics:
        place = subjects.index(subject_of(name))
        own = metrics_of(question, subjects[place])
        columns.append((parts[place], own.index(metric(name)), metric(name).formula.of_nothing))
    places = dict.fromkeys(place for part in parts for place in part.values)
    return {
        place: tuple(
            part.values[place][column] if place in part.values else nothing
            for part, column, nothing in columns
        )
        for place in places
    }


def _moved(question: Question, earlier: Question, values: _Values) -> _Values:
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


def _names(
    client: Client, question: Question, groups: Sequence[tuple[str, ...]], labels: Labels
) -> dict[_Group, tuple[str, ...]]:
    """What people call the groups."""
    dimensions = [subjects_of(question)[0].dimension(name) for name in question.by]
    columns: list[list[str]] = []
    for values, dimension in zip(zip(*groups, strict=True), dimensions, strict=False):
        if isinstance(dimension, KeyDimension):
            known = labels.of(client, dimension, set(values))
            columns.append([known[value] for value in values])
        else:
            columns.append(list(values))
    names = zip(*columns, strict=True) if columns else [()] * len(groups)
    return {**dict(zip(groups, names, strict=True)), None: (OTHERS,) * len(question.by)}


def _rows(
    question: Question,
    current: _Values,
    compared: _Values | None,
    names: Mapping[_Group, tuple[str, ...]],
) -> Iterator[Row]:
    """All places that have values now or before: by bucket, then by the ordering metric."""
    nothing = tuple(metric(name).formula.of_nothing for name in question.metrics)
    column = question.metrics.index(question.ordering)
    sign = 1 if question.is_ascending else -1

    def rank(place: _Place) -> tuple[object, ...]:
        group, bucket = place
        value = current.get(place, nothing)[column]
        begin = bucket.timestamp() if bucket else 0
        return begin, group is None, value is None, sign * (value or 0), names[group]

    places = dict.fromkeys((*current, *(compared or ())))
    for place in sorted((each for each in places if each[0] in names), key=rank):
        group, bucket = place
        before = () if compared is None else compared.get(place, nothing)
        yield Row(bucket, names[group], current.get(place, nothing), before)
