"""Freshness of a stream's rows: the age of the newest event date.

Belongs here: the age of the data. The age of the materialization is Dagster's freshness policy,
attached to the assets from the same contract.
"""

from datetime import UTC, date, datetime, time, timedelta

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    asset_check,
)

from social_assets.contracts.contract import Contract, Freshness
from social_assets.defs.stores import StoresResource


def newest_day_is_fresh(contract: Contract) -> AssetChecksDefinition:
    """The newest event date with rows ended no longer ago than the contract allows."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="fresh",
        description=(
            f"The newest day with rows ended less than {span(contract.freshness.warn_after)} ago "
            f"(error after {span(contract.freshness.fail_after)})"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        days = stores.stores().of(contract).cleaned.rows_by_day()
        return freshness_result(contract.freshness, max(days, default=None), datetime.now(UTC))

    return check


def freshness_result(freshness: Freshness, newest: date | None, now: datetime) -> AssetCheckResult:
    """Compare the newest day that has rows with the time `now`."""
    if newest is None:
        return AssetCheckResult(passed=freshness.may_be_empty, description="no rows on any day")
    late = behind(newest, now)
    severe = late > freshness.fail_after
    return AssetCheckResult(
        passed=late <= freshness.warn_after,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        metadata={
            "newest_day": MetadataValue.text(newest.isoformat()),
            "hours_behind": MetadataValue.float(round(late.total_seconds() / 3600, 2)),
        },
    )


def behind(newest: date, now: datetime) -> timedelta:
    """How long ago the newest day with rows ended."""
    ended = datetime.combine(newest + timedelta(days=1), time(), UTC)
    return max(now - ended, timedelta())


def span(duration: timedelta) -> str:
    """A duration as a text: `1 day 6 hours`, without what is below an hour if there is more."""
    minutes = int(duration.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "day"), (hours, "hour")] if minutes >= 60 else [(minutes, "minute")]
    named = [f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n]
    return " ".join(named) or "0 minutes"
