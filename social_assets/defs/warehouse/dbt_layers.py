"""Turns a layer of the dbt project into Dagster assets: one run of dbt for all that are selected.

Here belongs what happens when they are materialized. What they are is read off the manifest
(`dbt_translator.py`).
"""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    multi_asset,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.automation import REBUILD_CHANGED_DAYS
from social_assets.defs.ingestion.jobs.changed_days import fed_by
from social_assets.defs.partitions import daily, day_range, days_of
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.built_days import record_built
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.defs.warehouse.row_previews import newest_rows
from social_assets.pipeline.stream_work import held
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment, run_dbt
from social_assets.warehouse.dbt.translator import Table, Warehouse
from social_assets.warehouse.pending_days import pending_days

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_THREADS = 2
_ROW_COUNT = "dagster/partition_row_count"


def layer_assets(layer: str) -> AssetsDefinition:
    """The assets of a layer. A range of days is one run, and one dbt process.

    The streams whose rows reach them are held still meanwhile: loads wait, drains give way.
    """
    project = Warehouse.of(Home.from_environment())
    specs, views = project.specs(layer), project.views()

    @multi_asset(
        name=layer,
        specs=[
            spec.replace_attributes(
                partitions_def=daily(),
                # A view has no rows that could be outdated.
                automation_condition=None if spec.key in views else REBUILD_CHANGED_DAYS,
            )
            for spec in specs
        ],
        can_subset=True,
        backfill_policy=BackfillPolicy.single_run(),
    )
    def build_days(
        context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
    ) -> Iterator[MaterializeResult[None]]:
        dates = days_of(context)
        days = Days(min(dates), max(dates))
        selected = context.selected_asset_keys
        sources = {dep.asset_key for s in specs if s.key in selected for dep in s.deps} - selected
        refused = [key.to_user_string() for key in sorted(sources)]
        stores.stores().lake.expired_days().refuse(refused, dates)
        home, endpoint = Home.from_environment(), clickhouse.endpoint()
        deploy_warehouse(endpoint, home)
        finish_before_rebuild(context.instance, stores, context.run.run_id)
        project = Warehouse.of(home)
        comment = f"{context.run.run_id} {layer}"
        streams = [
            stores.stores().of(contract, comment)
            for contract in contracts()
            if context.selected_asset_keys.intersection(fed_by(contract.name))
        ]
        with held(streams), clickhouse.client(comment) as client:
            pending = pending_days(client)
            results = run_dbt(
                project.dbt,
                dbt_arguments("run", project.models(context.selected_asset_keys), days=days),
                dbt_environment(endpoint, comment, _THREADS),
                home.logs,
            )
            for result in results:
                context.log.info(f"{result.unique_id}: {result.status}, {result.seconds:.2f} s")
                if result.succeeded:
                    table = project.table_of(result.unique_id)
                    sizes = _sizes(client, table, days)
                    for day, metadata in sizes.items():
                        context.add_asset_metadata(metadata, table.asset, day.isoformat())
                    filled = [day for day, size in sizes.items() if size[_ROW_COUNT]]
                    preview = newest_rows(client, table, max(filled)) if filled else {}
                    # Once a run: the page of an asset reads it off the newest event.
                    context.add_asset_metadata(
                        {"dagster/column_lineage": project.lineage_of(table.asset), **preview},
                        table.asset,
                        days.last.isoformat(),
                    )
                    yield MaterializeResult(
                        asset_key=table.asset, metadata={"seconds": round(result.seconds, 3)}
                    )
            record_built(client, pending, selected, dates, context.run.run_id)

    return build_days


def _sizes(client: "Client", table: Table, days: Days) -> dict[date, dict[str, int]]:
    """Rows and bytes of each of these days; empty for a view."""
    if table.is_view:
        return {}
    found = client.query(
        "SELECT partition_id, sum(rows), sum(bytes_on_disk) FROM system.parts\n"
        "WHERE active AND database = {database:String} AND table = {name:String}\n"
        "  AND partition_id BETWEEN {first:String} AND {last:String}\n"
        "GROUP BY partition_id",
        parameters={
            "database": table.database,
            "name": table.name,
            "first": f"{days.first:%Y%m%d}",
            "last": f"{days.last:%Y%m%d}",
        },
    ).result_rows
    sizes = {partition: (rows, size) for partition, rows, size in found}
    metadata = {}
    for day in day_range(days.first, days.last):
        rows, size = sizes.get(f"{day:%Y%m%d}", (0, 0))
        metadata[day] = {_ROW_COUNT: rows, "bytes": size}
    return metadata
