"""Checks every partition: none left failed, none older than its sources, none missing.

Belongs here: what Dagster's records and the counts of days tell about the partitions of an asset.
Only the newest ids are read from the records, with one query an asset: a year of days costs no more
than a week. The age of the newest day belongs to `freshness_checks`, the content of rows to other
checks.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    MetadataValue,
    RunsFilter,
    asset_check,
    multi_asset_check,
)

from social_assets.contracts.contract import Contract
from social_assets.defs.ingestion.checks.freshness_checks import span
from social_assets.defs.partitions import day_range
from social_assets.defs.stores import StoresResource
from social_assets.quality.counted import counted

NOT_FAILED = "no_partition_left_failed"
NOT_BEHIND = "no_partition_behind_its_sources"
WINDOW = timedelta(days=14)
"""For how long a day without rows causes a warning."""

SHOWN = 20
_MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION

Sources = Mapping[AssetKey, Sequence[AssetKey]]
"""Partitioned asset -> the assets from which its partitions are made."""


def partition_checks(sources: Sources) -> AssetChecksDefinition:
    """Both checks of every partitioned asset, in one step."""
    specs = [
        AssetCheckSpec(
            NOT_FAILED,
            asset=asset,
            description="No partition's last attempt failed without another that succeeded",
        )
        for asset in sources
    ] + [
        AssetCheckSpec(
            NOT_BEHIND,
            asset=asset,
            additional_deps=list(upstream),
            description="No partition of a source was materialized later than this asset's",
        )
        for asset, upstream in sources.items()
        if upstream
    ]

    @multi_asset_check(name="partitions", specs=specs, can_subset=True)
    def look(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        for key in sorted(context.selected_asset_check_keys):
            if key.name == NOT_FAILED:
                yield left_failed(context.instance, key.asset_key)
            else:
                yield behind(context.instance, key.asset_key, sources[key.asset_key])

    return look


def left_failed(instance: DagsterInstance, asset: AssetKey) -> AssetCheckResult:
    """Fails while the last run of a partition has failed."""
    attempts = instance.event_log_storage.get_latest_asset_partition_materialization_attempts_without_materializations(  # noqa: E501
        asset
    )
    failed = _failed(instance, {run_id for run_id, _ in attempts.values()})
    left = {day: run_id for day, (run_id, _) in sorted(attempts.items()) if run_id in failed}
    return AssetCheckResult(
        asset_key=asset,
        check_name=NOT_FAILED,
        passed=not left,
        description=f"{counted(len(left), 'partition')} failed and not made since"
        if left
        else None,
        metadata={
            "partitions": MetadataValue.int(len(left)),
            "for_example": MetadataValue.json(dict(list(left.items())[:SHOWN])),
        },
    )


def _failed(instance: DagsterInstance, runs: set[str]) -> set[str]:
    if not runs:  # which a filter takes for an error
        return set()
    wanted = RunsFilter(run_ids=sorted(runs), statuses=[DagsterRunStatus.FAILURE])
    return {run.run_id for run in instance.get_runs(wanted)}


def behind(
    instance: DagsterInstance, asset: AssetKey, upstream: Sequence[AssetKey]
) -> AssetCheckResult:
    """Warns while a partition is older than that of a source, so that it may lack late rows."""
    storage = instance.event_log_storage
    own = storage.get_latest_storage_id_by_partition(asset, _MATERIALIZATION)
    stale: dict[str, str] = {}
    for source in upstream:
        newest = storage.get_latest_storage_id_by_partition(source, _MATERIALIZATION)
        for day in sorted(newest):
            if newest[day] > own.get(day, 0):
                stale[day] = source.to_user_string()
    return AssetCheckResult(
        asset_key=asset,
        check_name=NOT_BEHIND,
        passed=not stale,
        severity=AssetCheckSeverity.WARN,
        description=f"{counted(len(stale), 'partition')} older than the sources" if stale else None,
        metadata={
            "partitions": MetadataValue.int(len(stale)),
            "for_example": MetadataValue.json(dict(list(stale.items())[:SHOWN])),
        },
    )


def every_day_has_rows(contract: Contract) -> AssetChecksDefinition:
    """Warns about recent days without rows, once they are late by the contract."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="every_day_has_rows",
        description=(
            f"Each day of the last {WINDOW.days} has rows "
            f"{span(contract.freshness.warn_after)} after "
            f"its end (error after {span(contract.freshness.fail_after)})"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        held = stores.stores().of(contract).cleaned.rows_by_day()
        return days_missing(contract, held, datetime.now(UTC))

    return check


def days_missing(contract: Contract, held: Mapping[date, int], now: datetime) -> AssetCheckResult:
    """Check the days of the window at the time `now`, from the first day that ever had rows."""
    first = max(min(held, default=now.date()), now.date() - WINDOW)
    lateness = {
        day: now - datetime.combine(day + timedelta(days=1), time(), UTC)
        for day in day_range(first, now.date())
        if day not in held
    }
    limits = contract.freshness
    late = {day: by for day, by in lateness.items() if by > limits.warn_after}
    severe = any(by > limits.fail_after for by in late.values())
    return AssetCheckResult(
        passed=not late,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=f"{counted(len(late), 'day')} without rows" if late else None,
        metadata={
            "missing": MetadataValue.json([day.isoformat() for day in sorted(late)]),
            "days": MetadataValue.int((now.date() - first).days + 1),
        },
    )
