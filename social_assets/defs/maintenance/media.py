"""`maintenance/media`: pictures whose time is over, and files that no row names.

Belongs here: the nightly asset of the store of pictures, and the check of its files. What is
removed is decided by `pipeline.media.expire_media`.
"""

from datetime import UTC, datetime

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    MetadataValue,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from resources.settings.media_root import media_root
from social_assets.contracts.collected.post_media import CONTRACT
from social_assets.defs.ingestion.jobs.landed_days import report_landed
from social_assets.defs.stores import StoresResource

KEY = AssetKey(["maintenance", "media"])


@asset(
    key=KEY,
    group_name="maintenance",
    owners=[CONTRACT.owner],
    kinds={"file"},
    pool=f"stream_{CONTRACT.name}",
    description=(
        "Pictures deleted or archived whose time by contract is over, files deleted that no row "
        "names, and pictures marked to be fetched again whose file is lost."
    ),
)
def media_maintenance(
    context: AssetExecutionContext, stores: StoresResource
) -> MaterializeResult[None]:
    """End the time of pictures, and make the store hold what the rows name."""
    from social_assets.lake.media.media_files import MediaFiles
    from social_assets.pipeline.media.expire_media import expire_media

    home, comment = Home.from_environment(), f"{context.run.run_id} maintenance/media"
    files = MediaFiles.at(media_root(home))
    done = expire_media(home, stores.stores(), files, datetime.now(UTC), comment)
    report_landed(context, stores.stores().of(CONTRACT, comment), done.days)
    return MaterializeResult(
        metadata={
            "pictures_deleted": done.states["deleted"],
            "pictures_archived": done.states["archived"],
            "files_lost": done.states["failed"] + done.states["given_up"],
            "files_deleted": done.files_deleted,
            "files_archived": done.files_archived,
            "bytes_freed": done.bytes_freed,
            "files_kept": done.files_kept,
            "bytes_kept": done.bytes_kept,
        }
    )


@asset_check(
    asset=KEY,
    name="files_are_there",
    description="Each file that a row of post_media names is in the store, with its size",
)
def files_are_there(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Compare rows and store."""
    from social_assets.lake.media.media_files import MediaFiles
    from social_assets.quality.media import compare_files

    with clickhouse.client(f"{context.run.run_id} check media") as client:
        found = compare_files(client, MediaFiles.at(media_root(Home.from_environment())))
    return AssetCheckResult(
        passed=found.is_right,
        metadata={
            "files": found.named,
            "missing": found.missing,
            "of_another_size": found.wrong_size,
            "for_example": MetadataValue.text(", ".join(found.examples) or "none"),
        },
    )
