"""The content of an installation: rows by layer, partitions, the latest check results.

Belongs here: reading it. Every figure is counted now, from Delta's logs, ClickHouse and Dagster's
records; none is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster import AssetCheckKey, AssetCheckSeverity, DagsterEventType, DagsterInstance

from resources.clickhouse.resource import ClickHouseResource
from resources.dagster.private import AssetCheckExecutionRecordStatus
from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.monitoring.broken_contracts import CHECK as CONTRACT_CHECK
from social_assets.defs.stores import StoresResource
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.locations import Location
from social_assets.pipeline.stores import Stores
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import LakeEqualsWarehouse, RawIsAccountedFor
from social_assets.warehouse.day_sizes import MONTHLY, sizes_by_day

ASSET_CHECK_EVALUATION = DagsterEventType.ASSET_CHECK_EVALUATION

_WITH_RESULT = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


@dataclass(frozen=True)
class StreamStatus:
    """Records of one stream at each step, over all days; whether its invariants hold on each."""

    stream: str
    days: int
    first_day: date | None
    last_day: date | None
    raw: int
    cleaned: int
    duplicates: int
    rejected: int
    warehouse: int
    is_conserved: bool


@dataclass(frozen=True)
class CheckStatus:
    """The latest result of one check: passed, warned, failed, or never run."""

    asset: str
    name: str
    result: str


@dataclass(frozen=True)
class TableStatus:
    """A table of the warehouse: rows, days, bytes on disk."""

    table: str
    rows: int
    days: int
    size_bytes: int


def stream_statuses() -> list[StreamStatus]:
    """Every stream of the home in the environment."""
    return [stream_status(contract.name) for contract in contracts()]


def stream_status(name: str) -> StreamStatus:
    """One stream of the home in the environment."""
    stream = _stores().of(contract(name))
    raw = stream.raw.rows_by_day()
    return StreamStatus(
        stream=name,
        days=len(raw),
        first_day=min(raw, default=None),
        last_day=max(raw, default=None),
        raw=sum(raw.values()),
        cleaned=sum(stream.cleaned.rows_by_day().values()),
        duplicates=sum(stream.quarantine.rows_by_day(verdict="duplicate").values()),
        rejected=sum(stream.quarantine.rows_by_day(verdict="rejected").values()),
        warehouse=sum(stream.loader.rows_by_day().values()),
        is_conserved=all(
            result.passed
            for invariant in (
                RawIsAccountedFor(stream.contract),
                LakeEqualsWarehouse(stream.contract),
            )
            for result in compare_days(invariant, stream.stores, None, "status")
        ),
    )


def table_statuses() -> list[TableStatus]:
    """Every stored table of star, rollups, features, recsys and forecasts."""
    with ClickHouseResource().client("status") as client:
        found = client.query(
            "SELECT concat(database, '.', table) AS name, sum(rows), uniqExact(partition_id),\n"
            "  sum(bytes_on_disk),\n"
            "  name IN (SELECT concat(database, '.', name) FROM system.tables\n"
            "    WHERE partition_key = {monthly:String})\n"
            "FROM system.parts WHERE active\n"
            "  AND database IN ('star', 'rollups', 'features', 'recsys', 'forecasts')\n"
            "GROUP BY 1 ORDER BY 1",
            parameters={"monthly": MONTHLY},
        )
        return [
            TableStatus(name, rows, len(sizes_by_day(client, name)) if monthly else days, size)
            for name, rows, days, size, monthly in found.result_rows
        ]


def check_statuses(home: Home) -> list[CheckStatus]:
    """Every check of the graph with its latest result."""
    keys = sorted(Location.BATCH.definitions().resolve_asset_graph().asset_check_keys)
    with open_instance(home) as instance:
        days_failed = {
            info.check_key
            for info in instance.event_log_storage.get_asset_check_partition_info(keys)
            if info.partition_key
            and info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
        }
        return [
            CheckStatus(key.asset_key.to_user_string(), key.name, "failed")
            # This check exists only while its contract cannot be used.
            if key in days_failed or key.name == CONTRACT_CHECK
            else check_status(instance, key)
            for key in keys
        ]


def _stores() -> Stores:
    return StoresResource(clickhouse=ClickHouseResource()).stores()


def check_status(instance: DagsterInstance, key: AssetCheckKey) -> CheckStatus:
    """The latest result of one check."""
    # A run that failed before its checks has planned them, which says nothing about the data.
    records = instance.event_log_storage.get_asset_check_execution_history(
        key, limit=1, status=_WITH_RESULT
    )
    evaluation = records[0].event.dagster_event if records and records[0].event else None
    result = "never run"
    if evaluation is not None and evaluation.event_type == ASSET_CHECK_EVALUATION:
        data = evaluation.asset_check_evaluation_data
        severe = data.severity == AssetCheckSeverity.ERROR
        result = "passed" if data.passed else ("failed" if severe else "warned")
    return CheckStatus(key.asset_key.to_user_string(), key.name, result)
