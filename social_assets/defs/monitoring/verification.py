"""What is looked at every night whether or not anything ran: all days by all laws, all partitions.

Here belongs when, and what is recorded of it. The laws and checks themselves stand in `checks`.
"""

from functools import cache

from dagster import (
    AssetChecksDefinition,
    AssetKey,
    AssetSelection,
    AssetSpec,
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
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.monitoring.invariant_checks import (
    changed_results,
    judged,
    summary_of_all_days,
    with_emptied_days,
)
from social_assets.defs.monitoring.partition_checks import Sources, partition_checks
from social_assets.defs.stores import StoresResource
from social_assets.quality.invariants import laws
from social_assets.warehouse.dbt.translator import Warehouse

VERIFY_PARTITIONS = "verify_partitions"


@op(description="Judge every day by every law; record the days whose verdict is new")
def judge_all_days(context: OpExecutionContext, stores: StoresResource) -> None:
    """All days of all laws. A law that is broken is a failed check, not a failed run."""
    for law in laws():
        comment = f"{context.run.run_id} verify {law.name}"
        found = judged(law, stores.stores(), None, comment)
        verdicts = with_emptied_days(context.instance, law, found)
        recorded = 0
        for each in changed_results(context.instance, law, verdicts):
            context.log_event(each)  # type: ignore[arg-type]  # recorded, though not in its type
            recorded += 1
        if recorded:
            whole = summary_of_all_days(context.instance, law, verdicts, stores.stores())
            context.log_event(whole)  # type: ignore[arg-type]
        differing = sum(not each.passed for each in verdicts)
        context.log.info(
            f"{law.asset.to_user_string()} {law.name}: {len(verdicts)} days, {differing} differ, "
            f"{recorded} recorded"
        )


@job(
    name="verify_conservation",
    description="Every law on every day: what was lost or doubled since the day was last judged",
    executor_def=in_process_executor,
)
def verify_conservation() -> None:
    """The laws over all days."""
    judge_all_days()


def sources() -> Sources:
    """Every asset that keeps rows by day, and the assets that its partitions are made from."""
    project = Warehouse.of(Home.from_environment())
    return (
        {AssetKey(["raw", each.name]): [] for each in contracts()}
        # Made with cleaned, and left as it is by drains that reject nothing.
        | {AssetKey(["quarantine", each.name]): [] for each in contracts()}
        | {AssetKey(["cleaned", each.name]): [AssetKey(["raw", each.name])] for each in contracts()}
        | {
            spec.key: _upstream(spec)
            for layer in ("star", "rollups")
            for spec in project.specs(layer)
            if spec.key not in project.views()
        }
    )


def _upstream(spec: AssetSpec) -> list[AssetKey]:
    return sorted(dep.asset_key for dep in spec.deps)


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
    """Every job of this module."""
    return [verify_conservation, verify_partitions()]


def verification_schedules() -> list[ScheduleDefinition]:
    """After the rebuild of the day before, and after maintenance."""
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
