"""`media/<stream>`: the pictures of a stream's posts, fetched into the store of files.

Belongs here: when they are fetched, and what is shown of it. `pipeline.media` fetches them; what
happened to each picture is a row of the stream `post_media`, downstream of these assets.
"""

import time
from datetime import UTC, datetime
from functools import cache

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetsDefinition,
    AssetSelection,
    AutomationCondition,
    MaterializeResult,
    MetadataValue,
    TableRecord,
    asset,
    define_asset_job,
    in_process_executor,
)

from resources.dagster.private import UnresolvedAssetJobDefinition
from resources.settings.home import Home
from resources.settings.media_root import media_root
from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.contracts.contract import Contract, Media
from social_assets.contracts.registry import contracts
from social_assets.defs.automation import MAKE_CHANGED_DAYS
from social_assets.defs.ingestion.jobs.landed_days import report_landed
from social_assets.defs.media.media_keys import FETCH_MEDIA, GROUP, media_key
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_warehouse

_RETRIES = (
    AutomationCondition.cron_tick_passed("47 * * * *")
    & ~AutomationCondition.missing()
    & ~AutomationCondition.in_progress()
).with_label("pictures may be tried again")

FETCH_NEW_PICTURES = MAKE_CHANGED_DAYS | _RETRIES
"""After new posts, and hourly if there were pictures before: failed ones are tried again."""


def media_assets() -> list[AssetsDefinition]:
    """One asset for each stream whose contract names a column of pictures."""
    return [_asset(each, each.media) for each in contracts() if each.media is not None]


def _asset(contract: Contract, media: Media) -> AssetsDefinition:
    days = "for ever" if media.keep_days is None else f"for {media.keep_days} days"
    then = "" if media.keep_days is None else f", then {media.then}d"

    @asset(
        key=media_key(contract.name),
        group_name=GROUP,
        deps=[AssetDep(["cleaned", contract.name], partition_mapping=AllPartitionMapping())],
        owners=[contract.owner],
        kinds={"file"},
        tags={STREAM_TAG: contract.name},
        pool=f"stream_{CONTRACT.name}",
        automation_condition=FETCH_NEW_PICTURES,
        description=(
            f"The pictures that `{media.column}` of {contract.name} names, each fetched once and "
            f"named by the hash of its content; kept {days}{then}. The stream {CONTRACT.name} has "
            "a row for each thing that happens to one, and star.post_media what is true now."
        ),
    )
    def pictures(context: AssetExecutionContext, stores: StoresResource) -> MaterializeResult[None]:
        return _fetch(context, contract, stores)

    return pictures


def _fetch(
    context: AssetExecutionContext, contract: Contract, stores: StoresResource
) -> MaterializeResult[None]:
    # Imported here: a code location that loads its assets needs no HTTP client.
    from social_assets.ingest.media.addresses import AllowedHost
    from social_assets.lake.media.media_files import MediaFiles
    from social_assets.pipeline.media.fetch_media import MediaFetch
    from social_assets.quality.media import media_counts, stored_media

    started = time.monotonic()
    home, run = Home.from_environment(), context.run.run_id
    deploy_in_force(stores)
    finish_warehouse(context.instance, stores, f"{run} finish_days")
    comment = f"{run} media/{contract.name}"
    found = MediaFetch(
        home,
        stores.stores(),
        MediaFiles.at(media_root(home)),
        AllowedHost.from_environment(),
        comment,
        stream=contract.name,
    ).run()
    report_landed(context, stores.stores().of(CONTRACT, comment), found.days)
    with stores.clickhouse.client(comment) as client:
        stored = stored_media(client, contract.name)
        counts = media_counts(client, datetime.fromtimestamp(0, UTC))
    reasons = [TableRecord({"reason": name, "pictures": n}) for name, n in found.reasons.items()]
    context.log.info(f"pictures of this run: {dict(found.states)}")
    return MaterializeResult(
        metadata={
            "dagster/row_count": sum(e.pictures for e in counts if e.stream == contract.name),
            "fetched": found.states["fetched"],
            "without_a_picture": found.states.total() - found.states["fetched"],
            "reasons": MetadataValue.table(reasons) if reasons else MetadataValue.text("none"),
            "bytes_fetched": found.size_bytes,
            "files_stored": stored.files,
            "bytes_stored": stored.size_bytes,
            "store": MetadataValue.path(media_root(home)),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


@cache
def fetch_media_job() -> UnresolvedAssetJobDefinition:
    """The job that fetches what is wanted now."""
    return define_asset_job(
        FETCH_MEDIA,
        selection=AssetSelection.groups(GROUP),
        description="Fetch the pictures that posts name, and try failed ones again",
        executor_def=in_process_executor,
    )
