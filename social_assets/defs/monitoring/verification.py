"""The nightly verification: all invariants on all days, and all partitions.

Belongs here: the jobs, their schedules, and what they record. The invariants are in `quality`, the
checks in `invariant_checks` and `partition_checks`.
"""

from functools import cache

from dagster import (
    AssetChecksDefinition,
    AssetKey,
    AssetSelection,
    DefaultScheduleStatus,
    JobDefinition,
    OpExecutionContext,
    ScheduleDefinition,
    define_asset_job,
    in_process_executor,
    job,
    op,
)

from resources.dagster.private import UnresolvedAssetJobDefinition
from resources.dagster.recorded_events import record
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.monitoring.invariant_results import (
    changed_results,
    summary_of_all_days,
    with_emptied_days,
)
from social_assets.defs.monitoring.partition_checks import Sources, partition_checks
from social_assets.defs.stores import StoresResource
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import invariants
from social_assets.quality.recorded_days import recorded
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.pending_days import BUILT

VERIFY_PARTITIONS = "verify_partitions"


@op(description="Compare every day by every invariant; record the days whose result has changed")
def compare_all_days(context: OpExecutionContext, stores: StoresResource) -> None:
    """All days of all invariants. A broken invariant is a failed check, not a failed run."""
    for invariant in invariants():
        comment = f"{context.run.run_id} verify {invariant.name}"
        with recorded(stores.stores(), [invariant], comment) as compared:
            found = compare_days(invariant, stores.stores(), None, comment)
            comparisons = with_emptied_days(context.instance, invariant, found)
            compared.extend(comparisons)
        changed = record(context, changed_results(context.instance, invariant, comparisons))
        if changed:
            whole = summary_of_all_days(context.instance, invariant, comparisons, stores.stores())
            context.log_event(whole)  # type: ignore[arg-type]
        differing = sum(not each.passed for each in comparisons)
        context.log.info(
            f"{invariant.asset.to_user_string()} {invariant.name}: {len(comparisons)} days, "
            f"{differing} differ, {changed} recorded"
        )


@job(
    name="verify_conservation",
    description="Compare every day by every invariant, to find rows that were lost or doubled",
    executor_def=in_process_executor,
)
def verify_conservation() -> None:
    """The invariants over all days."""
    compare_all_days()


def sources() -> Sources:
    """Every asset that keeps rows by day, and the assets that its partitions are made from."""
    project = Warehouse.of(Home.from_environment())
    return (
        {AssetKey(["raw", each.name]): [] for each in contracts()}
        # Made with cleaned; a drain that rejects nothing does not change it.
        | {AssetKey(["quarantine", each.name]): [] for each in contracts()}
        | {AssetKey(["cleaned", each.name]): [AssetKey(["raw", each.name])] for each in contracts()}
        | {
            key: sources
            for layer in BUILT
            for key, sources in project.upstream(layer).items()
            if key not in project.views()
        }
    )


@cache
def all_partition_checks() -> AssetChecksDefinition:
    """The checks of every asset that keeps rows by day."""
    return partition_checks(sources())


@cache
def verify_partitions() -> UnresolvedAssetJobDefinition:
    """The job of these checks."""
    return define_asset_job(
        VERIFY_PARTITIONS,
        selection=AssetSelection.checks(all_partition_checks()),
        description="No partition left failed, none behind its sources",
        executor_def=in_process_executor,
    )


def verification_jobs() -> list[JobDefinition | UnresolvedAssetJobDefinition]:
    """All jobs of this module."""
    return [verify_conservation, verify_partitions()]


def verification_schedules() -> list[ScheduleDefinition]:
    """Their schedules: after the rebuild of the previous day, and after maintenance."""
    return [
        ScheduleDefinition(
            name=f"nightly_{each.name}",
            job=each,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=DefaultScheduleStatus.RUNNING,
        )
        for each, cron in ((verify_conservation, "0 5 * * *"), (verify_partitions(), "15 5 * * *"))
    ]
