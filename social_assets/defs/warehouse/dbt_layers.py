"""The layers that dbt builds as Dagster assets: one run of dbt for all that are selected.

Here belongs what happens when they are materialized, and what is said of each day. What they are is
read off the manifest (`translator`).
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Failure,
    Output,
)
from dagster_dbt import DbtProject, dbt_assets

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.automation import (
    MAKE_CHANGED_DAYS_EACH_QUARTER,
    REBUILD_CHANGED_DAYS,
)
from social_assets.defs.ingestion.jobs.changed_days import fed_by
from social_assets.defs.partitions import daily, day_range, days_of
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.built_days import record_built
from social_assets.defs.warehouse.dbt_resource import DbtEvent, WarmDbtResource
from social_assets.defs.warehouse.deployment import deploy_in_force, waiting_for_contracts
from social_assets.defs.warehouse.features_lock import features_lock
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.defs.warehouse.row_previews import newest_rows
from social_assets.pipeline.stream_work import held
from social_assets.warehouse.day_sizes import Sizes, sizes_by_day
from social_assets.warehouse.dbt.project import Days, dbt_arguments
from social_assets.warehouse.dbt.tables import Table, Warehouse
from social_assets.warehouse.dbt.translator import WarehouseTranslator
from social_assets.warehouse.pending_days import BEHIND, pending_days

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_CHECKED_BY_DAY = "test_name:relationships test_name:unique test_name:not_null"
"""dbt's tests that `keys_resolve` and `one_row_a_key` make for the days of a run alone, one query a
table. Each other test of the dbt project is a check.
"""

_ROW_COUNT = "dagster/partition_row_count"


def layer_assets(layer: str) -> AssetsDefinition:
    """The assets of a layer. A range of days is one run, and one dbt command.

    The streams whose rows reach facts and rollups are held still meanwhile: loads wait, drains give
    way. Those of features are not (`features_lock`).
    """
    warehouse = Warehouse.of(Home.from_environment())
    upstream, views = warehouse.upstream(layer), warehouse.views()
    tables = {table.asset: table for table in warehouse.tables(layer)}

    @dbt_assets(
        name=layer,
        manifest=warehouse.manifest,
        select=" ".join(warehouse.models(set(upstream))),
        exclude=_CHECKED_BY_DAY,
        project=DbtProject(warehouse.dbt.path),
        dagster_dbt_translator=WarehouseTranslator(warehouse),
        partitions_def=daily(),
        backfill_policy=BackfillPolicy.single_run(),
    )
    def build_days(
        context: AssetExecutionContext,
        dbt: WarmDbtResource,
        clickhouse: ClickHouseResource,
        stores: StoresResource,
    ) -> Iterator[DbtEvent]:
        if not context.selected_asset_keys:
            yield from dbt.events(["test"], context)
            return
        dates = days_of(context)
        days = Days(min(dates), max(dates))
        selected = context.selected_asset_keys
        sources = {source for key in selected for source in upstream[key]} - selected
        refused = [key.to_user_string() for key in sorted(sources)]
        stores.stores().lake.expired_days().refuse(refused, dates)
        if waiting := waiting_for_contracts(stores.stores()):
            raise Failure(waiting)
        deploy_in_force(stores)
        finish_before_rebuild(context.instance, stores, context.run.run_id)
        comment = f"{context.run.run_id} {layer}"
        streams = [
            stores.stores().of(contract, comment)
            for contract in contracts()
            if selected.intersection(fed_by(contract.name))
        ]
        is_fed = layer in BEHIND
        lock = held(streams) if is_fed else features_lock()
        with lock, clickhouse.client(comment) as client:
            pending = pending_days(client) if is_fed else []
            arguments = [*dbt_arguments("build", days=days), "--exclude", _CHECKED_BY_DAY]
            with closing(dbt.events(arguments, context)) as events:
                for event in events:
                    if isinstance(event, Output):
                        key = context.asset_key_for_output(event.output_name)
                        lineage = {"dagster/column_lineage": warehouse.lineage_of(key)}
                        context.add_asset_metadata(lineage, key, days.last.isoformat())
                        if key in tables:
                            _describe(context, client, tables[key], days)
                    yield event
            record_built(client, pending, selected, dates, context.run.run_id)

    # No views of ClickHouse feed features.
    rebuilt = REBUILD_CHANGED_DAYS if layer in BEHIND else MAKE_CHANGED_DAYS_EACH_QUARTER

    def automated(spec: AssetSpec) -> AssetSpec:
        # A view has no rows that could be outdated.
        condition = None if spec.key in views else rebuilt
        return spec.replace_attributes(automation_condition=condition)

    return build_days.map_asset_specs(automated)


def _describe(context: AssetExecutionContext, client: "Client", table: Table, days: Days) -> None:
    """Add what the page of an asset shows of each day, and once a run its newest rows."""
    sizes = _sizes(client, table, days)
    for day, metadata in sizes.items():
        context.add_asset_metadata(metadata, table.asset, day.isoformat())
    filled = [day for day, size in sizes.items() if size[_ROW_COUNT]]
    if filled:
        preview = newest_rows(client, table, max(filled))
        context.add_asset_metadata(preview, table.asset, days.last.isoformat())


def _sizes(client: "Client", table: Table, days: Days) -> dict[date, dict[str, int]]:
    """Rows and bytes of each of these days."""
    found = sizes_by_day(client, table.qualified_name, days.first, days.last)
    metadata = {}
    for day in day_range(days.first, days.last):
        size = found.get(day, Sizes(0, 0))
        metadata[day] = {_ROW_COUNT: size.rows, "bytes": size.size_bytes}
    return metadata
