"""`raw/<stream>`: the unchanged records. One asset a contract.

Belongs here: materializing a raw day, which means to land the files in the landing folder. A raw
day cannot be made from anything else. A run reports the requested days, and also records every
other day that a landed file has rows of. A file that cannot be read is moved to `failed/` and
blocks no other file; a check of the asset fails until someone removes it.
"""

from collections.abc import Iterator
from datetime import date

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.defs.collection.platform_assets import platforms_of
from social_assets.defs.ingestion.columns import raw_columns
from social_assets.defs.ingestion.freshness_policy import freshness_policy
from social_assets.defs.media.media_keys import media_of
from social_assets.defs.partitions import daily, days_of, partition_notice
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.pipeline.files.allowed_files import check_allowed
from social_assets.pipeline.files.landing_folder import FAILED, Landing, date_in
from social_assets.pipeline.files.unfinished_files import at_rest
from social_assets.pipeline.landing_store.landing_objects import fetch_what_answers
from social_assets.pipeline.stream_work import land_files


def raw_asset(contract: Contract) -> AssetsDefinition:
    """The raw asset of a stream."""

    @multi_asset(
        name=f"land_{contract.name}",
        specs=[_spec(contract)],
        partitions_def=daily(),
        backfill_policy=BackfillPolicy.single_run(),
        pool=f"stream_{contract.name}",
    )
    def land(
        context: AssetExecutionContext, stores: StoresResource
    ) -> Iterator[MaterializeResult[None]]:
        stream = stores.stores().of(contract, f"{context.run.run_id} raw/{contract.name}")
        landing = Landing(Home.from_environment().landing, contract.name)
        fetched = fetch_what_answers(landing)
        others = [path for path in landing.waiting() if path not in fetched.copies]
        paths = [*at_rest(others), *fetched.copies]
        ingested = land_files(stream, paths, date_in, check_allowed)
        for left in landing.put_aside(ingested):
            context.log.warning(left)
        rows = stream.raw.rows_by_day()
        asked = days_of(context)
        for day in asked:
            context.add_asset_metadata(
                _metadata(rows.get(day, 0), stream.raw.uri), partition_key=day.isoformat()
            )
        for day in sorted(ingested.days.difference(asked)):
            context.log_event(_beyond(contract, day, rows[day], stream.raw.uri))
        if notice := partition_notice(ingested.days):
            context.log.warning(notice)
        for failure in ingested.failures:
            context.log.error(f"not loaded, now in {landing.folder / FAILED}: {failure}")
        yield MaterializeResult(
            metadata={
                "files_landed": len(ingested.landed),
                "files_failed": len(ingested.failures),
            }
        )
        if fetched.failure:
            raise fetched.failure

    return land


def _spec(contract: Contract) -> AssetSpec:
    return AssetSpec(
        key=["raw", contract.name],
        deps=[*platforms_of(contract.name), *media_of(contract.name)],
        group_name="raw",
        owners=[contract.owner],
        kinds={"deltalake", "kafka"},
        tags={STREAM_TAG: contract.name},
        description=(
            f"{contract.description} As it came: bytes, and file and row or topic, partition and "
            f"offset. Drains of topic `{contract.kafka_topic}` add to it as records come; "
            f"materializing takes the files that wait in `landing/{contract.name}/`."
        ),
        metadata={
            "dagster/column_schema": raw_columns(contract),
            "dagster/table_name": f"raw.{contract.name}",
            "formats": ", ".join(contract.formats),
            "kafka_topic": contract.kafka_topic,
        },
        freshness_policy=freshness_policy(contract),
    )


def _metadata(rows: int, uri: str) -> dict[str, MetadataValue]:
    return {
        "dagster/partition_row_count": MetadataValue.int(rows),
        "table": MetadataValue.path(uri),
    }


def _beyond(contract: Contract, day: date, rows: int, uri: str) -> AssetMaterialization:
    """A day that a landed file has rows of, and that the run did not request: late records."""
    return AssetMaterialization(
        asset_key=["raw", contract.name],
        partition=day.isoformat(),
        metadata=_metadata(rows, uri),
    )
