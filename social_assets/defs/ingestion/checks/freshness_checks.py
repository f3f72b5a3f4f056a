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
            f"The newest day with rows ended less than {contract.freshness.warn_after} ago "
            f"(error after {contract.freshness.fail_after})"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        days = stores.stores().of(contract).cleaned.rows_by_day()
        return freshness_result(contract.freshness, max(days, default=None), datetime.now(UTC))

    return check


def freshness_result(freshness: Freshness, newest: date | None, now: datetime) -> AssetCheckResult:
    """Compare the newest day that has rows with the time `now`."""
    if newest is None:
        return AssetCheckResult(passed=False, description="no rows on any day")
    ended = datetime.combine(newest + timedelta(days=1), time(), UTC)
    behind = max(now - ended, timedelta())
    severe = behind > freshness.fail_after
    return AssetCheckResult(
        passed=behind <= freshness.warn_after,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        metadata={
            "newest_day": MetadataValue.text(newest.isoformat()),
            "hours_behind": MetadataValue.float(round(behind.total_seconds() / 3600, 2)),
        },
    )
