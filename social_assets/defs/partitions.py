"""The partitions definition, UTC event dates; and the dates of a run.

Belongs here: where the partitions begin. Which dates a record may have is a setting
(`resources.settings.first_date`): a record of a day before the first partition lands too.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    DagsterRun,
    DailyPartitionsDefinition,
)

from resources.dagster.private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)
from resources.settings.first_date import earliest_event_date, first_date_setting
from resources.settings.home import Home
from resources.settings.variables import FIRST_DATE
from social_assets.defs.stores import lake_root

DAYS_BEFORE_ANY_DATA = timedelta(days=30)
"""How many days before today the partitions of an empty lake begin."""

_EVENT_DATE_FOLDER = "event_date="
_DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"


@cache
def daily() -> DailyPartitionsDefinition:
    """Every event date of this installation, with today.

    All assets of a process have the same definition, so it is read once. If a day lands that is
    earlier than the first partition, the next load of the code locations knows it.
    """
    # `end_offset` adds the current day.
    return DailyPartitionsDefinition(
        start_date=first_partition().isoformat(), timezone="UTC", end_offset=1
    )


def first_partition() -> date:
    """The first day: that of the lake or of the setting, whichever is earlier.

    A remote lake is not listed, because every process that loads the definitions would wait for it.
    Without the setting, its partitions begin with the first date that contracts accept.
    """
    root = lake_root(Home.from_environment())
    setting = first_date_setting()
    if "://" in root:
        return setting or earliest_event_date()
    known = [day for day in (setting, first_day_in(Path(root))) if day is not None]
    return min(known, default=datetime.now(UTC).date() - DAYS_BEFORE_ANY_DATA)


def first_day_in(lake: Path) -> date | None:
    """The earliest event date that a local lake's raw tables have a folder for."""
    folders = (each.name for each in lake.glob(f"raw/*/{_EVENT_DATE_FOLDER}{_DATE}"))
    days = [date.fromisoformat(name.removeprefix(_EVENT_DATE_FOLDER)) for name in folders]
    return min(days, default=None)


def days_without_partition(days: Iterable[date]) -> list[date]:
    """The days that are before the first partition that this process knows."""
    first = daily().start.date()
    return sorted(day for day in days if day < first)


def partition_notice(days: Iterable[date]) -> str | None:
    """A notice for a run that landed such days; None if every day has its partition."""
    early = days_without_partition(days)
    if not early:
        return None
    remedy = (
        f"set {FIRST_DATE} to {early[0]} or earlier, then reload both code locations"
        if "://" in lake_root(Home.from_environment())
        else "reload both code locations (UI: Deployment > Code locations > Reload all)"
    )
    return (
        f"{len(early)} days of the loaded records, from {early[0]}, are earlier than the first "
        f"partition, {daily().start.date()}. The records are loaded; to see these days in the "
        f"UI, {remedy}. Commands know them at once."
    )


def days_of(context: AssetExecutionContext) -> list[date]:
    """The dates for which to make an asset."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def days_of_check(context: AssetCheckExecutionContext) -> list[date] | None:
    """The dates of a check's run; None means all, if the check runs alone."""
    return days_of_run(context.run)


def days_of_run(run: DagsterRun) -> list[date] | None:
    """The dates in a run's tags; None if there are none."""
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
    """The ranges without gaps, as first and last day, of the days within the bounds."""
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
