"""Completes the pending unloads of a stream: in the lake, in the warehouse, in Dagster's records.

Belongs here: what follows a request, in whichever run comes first: an unload, a load, or a rebuild
of the stream. Without a request, it only looks for the table of requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol

from dagster import AssetKey, DagsterRun

from resources.clickhouse.resource import ClickHouseResource
from resources.dagster.recorded_events import EventRecorder, record
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.rule_results import report_rules
from social_assets.defs.ingestion.jobs.changed_days import built_from, materializations
from social_assets.defs.monitoring.invariant_results import report_days, report_summaries
from social_assets.defs.partitions import runs_of_days
from social_assets.defs.warehouse.built_days import record_built
from social_assets.defs.warehouse.deployment import waiting_for_contracts
from social_assets.defs.warehouse.features_lock import features_lock
from social_assets.lake.unloads import Unload
from social_assets.pipeline.files.unload import unload_pending
from social_assets.pipeline.files.unload_requests import names_of, pending
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import held
from social_assets.quality.recorded_days import record_days
from social_assets.warehouse.day_sizes import sizes_by_day
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment, run_dbt
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.pending_days import BUILT, pending_days

_THREADS = 2


class RunContext(EventRecorder, Protocol):
    """The part of a run's context that is needed here: of an op or of an asset."""

    @property
    def run(self) -> DagsterRun:
        """The run."""
        ...

    @property
    def log(self) -> Any:
        """The run's log."""
        ...


def complete_unloads(
    context: RunContext, stream: StreamStores, clickhouse: ClickHouseResource
) -> list[Unload]:
    """Remove the batches of all pending requests from every table; returns the requests.

    They stay pending while a contract that facts and rollups are made of is not deployed.
    """
    if pending(stream) and (waiting := waiting_for_contracts(stream.stores)):
        context.log.warning(f"unloads stay pending: {waiting}")
        return []
    with stream.lock():
        unloads = unload_pending(stream)
    if not unloads:
        return []
    days = sorted({day for each in unloads for day in each.days})
    behind = built_from(stream.name)
    _rebuild_behind(stream, clickhouse, behind, days)
    report_changed_days(context, stream, behind, days)
    stream.unloads.done(unloads)
    context.log.info(f"{names_of(unloads)}: unloaded from {len(days)} days")
    return unloads


def rebuilt_from(stream: str) -> tuple[str, ...]:
    """The assets from which the days of the tables behind the stream are built."""
    project, behind = Warehouse.of(Home.from_environment()), set(built_from(stream))
    upstream = {key: found for layer in BUILT for key, found in project.upstream(layer).items()}
    sources = {source for key in behind for source in upstream[key]} - behind
    return tuple(sorted(key.to_user_string() for key in sources - project.views()))


def _rebuild_behind(
    stream: StreamStores,
    clickhouse: ClickHouseResource,
    behind: Sequence[AssetKey],
    days: Sequence[date],
) -> None:
    home = Home.from_environment()
    project = Warehouse.of(home)
    models = project.models(set(behind))
    feeding = [
        stream.stores.of(each, stream.log_comment)
        for each in contracts()
        if not set(behind).isdisjoint(built_from(each.name))
    ]
    environment = dbt_environment(clickhouse.endpoint(), stream.log_comment or "unload", _THREADS)
    with held(feeding), features_lock(), _client(stream) as client:
        unfinished = pending_days(client)
        for first, last in runs_of_days(days, days[0], days[-1]):
            arguments = dbt_arguments("run", models, days=Days(first, last))
            run_dbt(project.dbt, arguments, environment, home.logs)
        record_built(client, unfinished, behind, days, stream.run_id)


def report_changed_days(
    context: RunContext, stream: StreamStores, behind: Sequence[AssetKey], days: Sequence[date]
) -> None:
    """Record the days that have rows as materialized; delete the records of days without rows."""
    filled = _filled(stream, behind)
    made = materializations(stream, days, behind)
    shown = {key: {day.isoformat() for day in with_rows} for key, with_rows in filled.items()}
    record(context, [each for each in made if each.partition in shown[each.asset_key]])
    for key, with_rows in filled.items():
        empty = [day.isoformat() for day in days if day not in with_rows]
        if empty:
            _forget(context, key, empty)
    record(context, report_rules(stream))
    left = [day for day in days if any(day in with_rows for with_rows in filled.values())]
    record(context, report_days(context.instance, stream, left))
    for key, with_rows in filled.items():
        # Other tables may still have rows of the day, so it was compared: delete its results for
        # this asset.
        empty = [day.isoformat() for day in left if day not in with_rows]
        if empty:
            _forget(context, key, empty)
    record_days(stream, [day for day in days if day not in left])
    if not left:
        record(context, report_summaries(context.instance, stream))


def _forget(context: RunContext, asset: AssetKey, days: Sequence[str]) -> None:
    try:
        context.instance.wipe_asset_partitions(asset, days)
    except NotImplementedError:
        context.log.warning(
            f"{asset.to_user_string()}: {', '.join(days[:3])} have no rows any more; this event "
            "log can't forget partitions, so the UI still shows them as materialized"
        )


def _filled(stream: StreamStores, behind: Sequence[AssetKey]) -> Mapping[AssetKey, set[date]]:
    """The days with rows of each asset; days of raw count for cleaned and quarantine too."""
    landed = {day for day, rows in stream.raw.rows_by_day().items() if rows}
    name = stream.name
    found = {AssetKey([layer, name]): landed for layer in ("raw", "cleaned", "quarantine")}
    project = Warehouse.of(Home.from_environment())
    tables = [t for layer in BUILT for t in project.tables(layer)]
    with _client(stream) as client:
        for table in tables:
            if table.asset in behind:
                sizes = sizes_by_day(client, table.qualified_name)
                found[table.asset] = {day for day, size in sizes.items() if size.rows}
    return found


def _client(stream: StreamStores) -> AbstractContextManager[Any]:
    return stream.stores.clickhouse.client(stream.log_comment)
