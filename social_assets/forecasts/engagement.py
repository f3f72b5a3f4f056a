"""Forecasts of engagement: which series there are, and reading them from the warehouse.

Belongs here: the question to the planner, which chooses the rollups, and the order of the steps.
By day, all accounts (at most 10,000, those with the most engagement), all platforms, and all of
them together; by hour, platforms and all of them together. Only complete days and hours count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from social_assets.forecasts.forecast import SeriesForecast
from social_assets.forecasts.series import DAILY, HOURLY, Rhythm, Values, series_of
from social_assets.forecasts.workers import forecast_all
from social_assets.metrics.ask import TablesMissingError
from social_assets.metrics.dimension import KeyDimension
from social_assets.metrics.freshness import AnswerFreshness, FreshnessOfSubjects
from social_assets.metrics.grain import Grain
from social_assets.metrics.labels import Labels
from social_assets.metrics.planner.plan import plan
from social_assets.metrics.planner.question import MOST_GROUPS, Question, check
from social_assets.metrics.planner.sql import MOST_BYTES, query_of
from social_assets.metrics.registry import subject_of
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

METRIC = "engagement"
ROLLUPS = tuple(
    f"rollups.engagement_{name}" for name in ("account_daily", "platform_daily", "platform_hourly")
)
"""What the planner answers the questions from."""
_BETWEEN = ":"
_ASKED: tuple[tuple[Rhythm, tuple[str, ...]], ...] = (
    (DAILY, ()),
    (DAILY, ("platform",)),
    (DAILY, ("platform", "account")),
    (HOURLY, ()),
    (HOURLY, ("platform",)),
)


@dataclass(frozen=True)
class Member:
    """Whom a series is of. Empty texts stand for all platforms, and for all accounts."""

    platform: str = ""
    account: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.platform, self.account))) or "all platforms"


@dataclass(frozen=True)
class Forecasts:
    """The forecasts of all series of one rhythm."""

    rhythm: Rhythm
    end: datetime
    """The first step that is forecast: the end of the last complete one."""
    series: Mapping[Member, SeriesForecast]


@dataclass(frozen=True)
class KnownSeries:
    """What is known of the series."""

    series: Mapping[Member, Values]
    end: datetime


def forecast_engagement(client: Client, processes: int | None = None) -> list[Forecasts]:
    """The forecasts by day and by hour; none if there is no complete day or hour.

    Raises SeriesError, TablesMissingError, and clickhouse-connect's errors.
    """
    found = []
    for rhythm in (DAILY, HOURLY):
        read = read_engagement(client, rhythm)
        if read is None:
            continue
        names = {f"{number}": member for number, member in enumerate(read.series)}
        values = {name: read.series[member] for name, member in names.items()}
        made = forecast_all(values, rhythm, processes)
        series = {names[name]: each for name, each in made.items()}
        found.append(Forecasts(rhythm, read.end, series))
    return found


def read_engagement(client: Client, rhythm: Rhythm) -> KnownSeries | None:
    """The series of a rhythm up to the last complete step; None without one."""
    end = complete_until(client, rhythm)
    if end is None:
        return None
    found: dict[Member, Values] = {}
    for asked, by in _ASKED:
        if asked is rhythm:
            found |= _read(client, rhythm, by, end)
    return KnownSeries(found, end)


def pending_days(client: Client) -> tuple[date, ...]:
    """Days whose rollups are incomplete now; a later run forecasts with them."""
    return _freshness(client, datetime(1971, 1, 1, tzinfo=UTC), datetime.now(UTC)).pending_days


def complete_until(client: Client, rhythm: Rhythm) -> datetime | None:
    """The end of the last complete step: late events of it are not awaited any more."""
    moment = datetime.now(UTC)
    watermark = _freshness(client, moment, moment + rhythm.step).watermark
    if watermark is None:
        return None
    seconds = rhythm.step.total_seconds()
    return datetime.fromtimestamp(watermark.timestamp() // seconds * seconds, UTC)


def _freshness(client: Client, start: datetime, end: datetime) -> AnswerFreshness:
    try:
        return FreshnessOfSubjects(0).of(client, [subject_of(METRIC)], [(start, end)])
    except Exception as error:
        if is_of_missing_table(error):
            raise TablesMissingError(ROLLUPS) from error
        raise


def _read(client: Client, rhythm: Rhythm, by: Sequence[str], end: datetime) -> dict[Member, Values]:
    """The series of the members of some dimensions."""
    values = series_of(_rows(client, rhythm, by, end), rhythm, end)
    keys = [name.split(_BETWEEN) if by else [] for name in values]
    named = [
        Labels().of(client, dimension, set(column))
        for dimension, column in zip(map(_dimension, by), zip(*keys, strict=True), strict=False)
    ]
    members = [
        Member(*(known[key] for known, key in zip(named, each, strict=True))) for each in keys
    ]
    return dict(zip(members, values.values(), strict=True))


def _rows(client: Client, rhythm: Rhythm, by: Sequence[str], end: datetime) -> pa.Table:
    """Rows of series, time and value, from the rollups that the planner chooses."""
    start = end - rhythm.history * rhythm.step
    question = Question((METRIC,), start, end, rhythm.grain, by=tuple(by), limit=MOST_GROUPS)
    check(question)
    query = query_of(plan(question, subject_of(METRIC)))
    groups = ", ".join(f"group_{n}" for n in range(len(by)))
    name = f"arrayStringConcat([{groups}], '{_BETWEEN}')" if by else "''"
    at = "toDateTime(bucket, 'UTC')" if rhythm.grain is Grain.DAY else "bucket"
    return client.query_arrow(
        f"SELECT {name} AS series, toInt64(toUnixTimestamp({at})) AS time,\n"
        f"  toFloat64(metric_0) AS value\nFROM (\n{query.text}\n)\nORDER BY series, time",
        parameters=dict(query.parameters),
        settings={"max_query_size": MOST_BYTES},
        use_strings=True,
    )


def _dimension(name: str) -> KeyDimension:
    found = subject_of(METRIC).dimension(name)
    if not isinstance(found, KeyDimension):
        raise TypeError(f"series of {METRIC} have no members by {name}")
    return found
