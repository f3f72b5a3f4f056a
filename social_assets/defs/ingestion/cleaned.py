"""`cleaned/<stream>` and `quarantine/<stream>`: the validated raw records. One pair a contract.

Belongs here: materializing days of them, which means to rebuild the days from raw, in the lake and
in the warehouse's `cleaned.<stream>`. `pipeline.stream_work.rebuild` does the work.
"""

from collections.abc import Iterator
from time import perf_counter

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    MaterializeResult,
    multi_asset,
)

from social_assets.contracts.contract import Contract
from social_assets.defs.automation import REBUILD_CHANGED_DAYS
from social_assets.defs.ingestion.columns import (
    cleaned_columns,
    cleaned_lineage,
    quarantine_columns,
)
from social_assets.defs.ingestion.freshness_policy import freshness_policy
from social_assets.defs.ingestion.jobs.changed_days import layer_metadata
from social_assets.defs.ingestion.jobs.complete_unloads import complete_unloads
from social_assets.defs.partitions import daily, days_of
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.defs.warehouse.built_days import record_built
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.defs.warehouse.row_previews import newest_cleaned_rows
from social_assets.pipeline.stream_work import rebuild
from social_assets.warehouse.pending_days import pending_days


def cleaned_asset(contract: Contract) -> AssetsDefinition:
    """The cleaned and quarantine assets of a stream, which are always made together."""

    @multi_asset(
        name=f"clean_{contract.name}",
        specs=[_cleaned_spec(contract), _quarantine_spec(contract)],
        partitions_def=daily(),
        backfill_policy=BackfillPolicy.single_run(),
        pool=f"stream_{contract.name}",
    )
    def clean(
        context: AssetExecutionContext, stores: StoresResource
    ) -> Iterator[MaterializeResult[None]]:
        deploy_in_force(stores)
        finish_before_rebuild(context.instance, stores, context.run.run_id)
        stream = stores.stores().of(contract, f"{context.run.run_id} cleaned/{contract.name}")
        started = perf_counter()
        days = days_of(context)
        stores.stores().lake.expired_days().refuse([f"raw/{contract.name}"], days)
        rebuild(stream, days)
        complete_unloads(context, stream, stores.clickhouse)
        with stores.clickhouse.client(stream.log_comment) as client:
            # A layer that has no tables of the stream holds its days.
            record_built(client, pending_days(client), (), days, context.run.run_id)
        seconds = perf_counter() - started
        rows = stream.cleaned.rows_by_day()
        filled = [day for day in days if rows.get(day)]
        if filled:
            with stores.clickhouse.client(stream.log_comment) as client:
                preview = newest_cleaned_rows(client, stream.contract, max(filled))
            last = max(days).isoformat()
            context.add_asset_metadata(preview, ["cleaned", contract.name], last)
        for layer, by_day in layer_metadata(stream, days).items():
            for day, metadata in by_day.items():
                context.add_asset_metadata(metadata, [layer, contract.name], day.isoformat())
            yield MaterializeResult(
                asset_key=[layer, contract.name], metadata={"seconds": round(seconds, 3)}
            )

    return clean


def _cleaned_spec(contract: Contract) -> AssetSpec:
    return AssetSpec(
        key=["cleaned", contract.name],
        deps=[["raw", contract.name]],
        group_name="cleaned",
        owners=[contract.owner],
        kinds={"deltalake", "duckdb", "clickhouse"},
        tags={STREAM_TAG: contract.name},
        description=(
            f"{contract.description} Typed, standardized, one row a "
            f"({', '.join(contract.key)}) and event date, first landed wins; in the lake and as "
            f"`cleaned.{contract.name}` in ClickHouse."
        ),
        metadata={
            "dagster/column_schema": cleaned_columns(contract),
            "dagster/column_lineage": cleaned_lineage(contract),
            "dagster/table_name": f"cleaned.{contract.name}",
        },
        freshness_policy=freshness_policy(contract),
        automation_condition=REBUILD_CHANGED_DAYS,
    )


def _quarantine_spec(contract: Contract) -> AssetSpec:
    return AssetSpec(
        key=["quarantine", contract.name],
        deps=[["raw", contract.name]],
        group_name="quarantine",
        owners=[contract.owner],
        kinds={"deltalake", "duckdb"},
        tags={STREAM_TAG: contract.name},
        description=(
            f"Records of {contract.name} that are not in cleaned: rejected ones with their bytes "
            "and every reason, duplicates with their position."
        ),
        metadata={
            "dagster/column_schema": quarantine_columns(contract),
            "dagster/table_name": f"quarantine.{contract.name}",
        },
        # No condition: it is made with cleaned; a drain that rejects nothing leaves it.
    )
