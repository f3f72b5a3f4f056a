"""`maintenance/*`: the nightly work that keeps an installation small and fast.

Belongs here: which tables are maintained together, and what is shown of it. There is one asset a
stream, one for the facts and rollups, which streams share, and one for Dagster's records. Which
days expire belongs to the contracts, maintaining a table to `lake.maintenance`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSelection,
    DefaultScheduleStatus,
    MaterializeResult,
    ScheduleDefinition,
    TableRecord,
    asset,
    define_asset_job,
    in_process_executor,
)
from dagster import MetadataValue as Value

from resources.dagster.recorded_events import record
from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.rule_results import report_rules
from social_assets.defs.ingestion.jobs.changed_days import built_from
from social_assets.defs.maintenance.run_history import forget_runs
from social_assets.defs.monitoring.invariant_results import end_expired_failures
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.lake.maintenance import Freed
from social_assets.pipeline.maintain import expire, first_kept, maintain_stream
from social_assets.pipeline.stores import Stores
from social_assets.quality.recorded_days import forget_expired_days
from social_assets.warehouse.dbt.tables import Table, Warehouse
from social_assets.warehouse.pending_days import BUILT

GROUP = "maintenance"
RUNS_KEPT = timedelta(days=30)
"""How long runs are kept in Dagster's records, with their events and logs."""


def stream_maintenance(contract: Contract) -> AssetsDefinition:
    """The maintenance of one stream's tables, in lake and warehouse."""
    retention = contract.retention

    @asset(
        key=[GROUP, contract.name],
        group_name=GROUP,
        owners=[contract.owner],
        kinds={"deltalake", "clickhouse"},
        tags={STREAM_TAG: contract.name},
        pool=f"stream_{contract.name}",
        description=(
            f"Files of {contract.name} brought together, dead ones deleted, days removed that the "
            f"contract does not keep: raw {_kept(retention.raw_days)}, cleaned "
            f"{_kept(retention.cleaned_days)}, quarantine {_kept(retention.quarantine_days)}."
        ),
    )
    def maintain(context: AssetExecutionContext, stores: StoresResource) -> MaterializeResult[None]:
        comment = f"{context.run.run_id} {GROUP}/{contract.name}"
        stream = stores.stores().of(contract, comment)
        freed = maintain_stream(stream, _today())
        if any(each.rows_removed for each in freed.values()):
            record(context, report_rules(stream))
        _end_expired_failures(context, stream.stores)
        return MaterializeResult(metadata=_shown(freed))

    return maintain


@asset(
    key=[GROUP, "warehouse"],
    group_name=GROUP,
    owners=["team:platform"],
    kinds={"clickhouse"},
    description=(
        "Days of facts, rollups and features dropped that no contract of a stream behind them "
        "keeps. Dimensions keep all days: facts refer to them."
    ),
)
def warehouse_maintenance(
    context: AssetExecutionContext, stores: StoresResource
) -> MaterializeResult[None]:
    """Drop the expired days of the tables that several streams fill."""
    freed = {}
    for table in _expiring_tables():
        limit = first_kept(_today(), days_kept(table.asset, contracts()))
        if limit is not None:
            freed[table.qualified_name] = expire(
                stores.stores(),
                table.asset.to_user_string(),
                table.qualified_name,
                limit,
                f"{context.run.run_id} {GROUP}/warehouse",
            )
    _end_expired_failures(context, stores.stores())
    return MaterializeResult(metadata=_shown(freed))


@asset(
    key=[GROUP, "dagster"],
    group_name=GROUP,
    owners=["team:platform"],
    kinds={"sqlite"},
    description=(
        f"Runs of more than {RUNS_KEPT.days} days ago deleted from Dagster's own records, with "
        f"their events and logs; not those by which a partition is known."
    ),
)
def dagster_maintenance(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Delete old runs, up to a number a night."""
    forgotten = forget_runs(context.instance, datetime.now(UTC) - RUNS_KEPT)
    return MaterializeResult(
        metadata={
            "runs_deleted": forgotten.deleted,
            "runs_kept_for_their_partitions": forgotten.kept,
            "bytes_freed": forgotten.bytes_freed,
        }
    )


def _end_expired_failures(context: AssetExecutionContext, stores: Stores) -> None:
    """End the failures of invariants on expired days, and delete the results of these days."""
    record(context, end_expired_failures(context.instance, stores))
    forget_expired_days(stores, f"{context.run.run_id} expired days")


def days_kept(asset: AssetKey, among: Iterable[Contract]) -> int | None:
    """How many days a table is kept: a fact or rollup the longest time of the streams behind it.

    A feature is kept the shortest time of the facts behind it: a day near one that changes is
    rebuilt with it, and needs all facts.
    """
    layer = asset.path[0]
    of_streams = [
        each.retention.rollups_days if layer == "rollups" else each.retention.facts_days
        for each in among
        if asset in built_from(each.name)
    ]
    if layer == "features":
        return min((days for days in of_streams if days is not None), default=None)
    return None if None in of_streams else max(of_streams, key=lambda days: days or 0, default=None)


maintenance_job = define_asset_job(
    "maintain",
    selection=AssetSelection.groups(GROUP),
    description="Compact, vacuum, remove days beyond their time, delete old runs",
    executor_def=in_process_executor,
)

maintenance_schedule = ScheduleDefinition(
    name="nightly_maintenance",
    job=maintenance_job,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
)
"""After the nightly rebuild of the previous day."""


def _expiring_tables() -> list[Table]:
    project = Warehouse.of(Home.from_environment())
    tables = [table for layer in BUILT for table in project.tables(layer)]
    return [table for table in tables if not table.name.startswith("dim_")]


def _shown(freed: Mapping[str, Freed]) -> dict[str, Value[Any]]:
    """The sum, and a row for each table that was changed."""
    total = sum(freed.values(), Freed())
    figures: dict[str, Value[Any]] = {
        name: Value.float(round(value, 3)) if isinstance(value, float) else Value.int(value)
        for name, value in asdict(total).items()
    }
    rows = [
        TableRecord({"table": name, **asdict(each), "seconds": round(each.seconds, 3)})
        for name, each in freed.items()
    ]
    return {**figures, "tables": Value.table(rows)} if rows else figures


def _kept(days: int | None) -> str:
    return "for ever" if days is None else f"{days} days"


def _today() -> date:
    return datetime.now(UTC).date()


def maintenance_assets() -> list[AssetsDefinition]:
    """All assets of this module."""
    return [
        *(stream_maintenance(contract) for contract in contracts()),
        warehouse_maintenance,
        dagster_maintenance,
    ]
