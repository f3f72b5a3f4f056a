"""The one partitions definition: UTC event dates; and the dates that a run is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    DagsterRun,
    DailyPartitionsDefinition,
)
from dagster._core.storage.tags import (  # the names of the run tags are not exported
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from social_assets.contracts.contract import FIRST_EVENT_DATE

DAILY = DailyPartitionsDefinition(
    start_date=FIRST_EVENT_DATE.isoformat(), timezone="UTC", end_offset=1
)
"""Every event date, today's included: `end_offset` adds the day that has not ended."""


def days_of(context: AssetExecutionContext) -> list[date]:
    """The dates that an asset is to be made for."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def days_of_check(context: AssetCheckExecutionContext) -> list[date] | None:
    """The dates of the run a check is part of; None, meaning all, where it runs by itself."""
    return days_of_run(context.run)


def days_of_run(run: DagsterRun) -> list[date] | None:
    """The dates that a run's tags name; None where they name none."""
    first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG) or run.tags.get(PARTITION_NAME_TAG)
    last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG) or first
    if first is None or last is None:
        return None
    return day_range(date.fromisoformat(first), date.fromisoformat(last))


def range_tags(first: date, last: date) -> dict[str, str]:
    """The run tags of a range of dates."""
    return {
        ASSET_PARTITION_RANGE_START_TAG: first.isoformat(),
        ASSET_PARTITION_RANGE_END_TAG: last.isoformat(),
    }


def runs_of_days(days: Iterable[date], first: date, last: date) -> list[tuple[date, date]]:
    """The unbroken ranges, first and last day of each, of those days that lie within bounds."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(d for d in days if first <= d <= last):
        if ranges and ranges[-1][1] + timedelta(days=1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def day_range(first: date, last: date) -> list[date]:
    """Every date from the first to the last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
