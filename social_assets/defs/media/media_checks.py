"""Whether pictures are fetched, and how much they are: checks of `media/<stream>`.

Belongs here: texts and severities. What they compare is found by `quality.media`.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    TableRecord,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.contract import Contract, Media
from social_assets.contracts.registry import contracts
from social_assets.defs.media.media_keys import media_key
from social_assets.quality.counted import counted

if TYPE_CHECKING:
    from social_assets.quality.media import MediaCount

LOOKED_AT = timedelta(days=7)
WARN_ABOVE, FAIL_ABOVE = 0.1, 0.5
"""Parts of the pictures of these days that could not be fetched."""


def media_checks() -> list[AssetChecksDefinition]:
    """The checks of all streams that have pictures."""
    streams = [(each, each.media) for each in contracts() if each.media is not None]
    return [make(*each) for each in streams for make in (pictures_are_fetched, pictures_fit)]


def pictures_are_fetched(contract: Contract, _: Media) -> AssetChecksDefinition:
    """Few pictures of the last days could not be fetched."""

    @asset_check(
        asset=media_key(contract.name),
        name="pictures_are_fetched",
        description=(
            f"At most {WARN_ABOVE:.0%} of the pictures of the last {LOOKED_AT.days} days could not "
            f"be fetched; more than {FAIL_ABOVE:.0%} is an error"
        ),
    )
    def check(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> AssetCheckResult:
        from social_assets.quality.media import media_counts, share_without_file

        with clickhouse.client(f"{context.run.run_id} check media") as client:
            found = media_counts(client, datetime.now(UTC) - LOOKED_AT)
        counts = [each for each in found if each.stream == contract.name]
        share = share_without_file(counts)
        is_severe = share > FAIL_ABOVE
        return AssetCheckResult(
            passed=share <= WARN_ABOVE,
            severity=AssetCheckSeverity.ERROR if is_severe else AssetCheckSeverity.WARN,
            description=f"{share:.1%} of the pictures have no file",
            metadata={"share": MetadataValue.float(round(share, 4)), "pictures": _shown(counts)},
        )

    return check


def pictures_fit(contract: Contract, media: Media) -> AssetChecksDefinition:
    """The files of a stream are not more than its contract expects."""

    @asset_check(
        asset=media_key(contract.name),
        name="pictures_fit",
        description=f"The pictures have at most {media.warn_above_bytes:,} bytes in all",
    )
    def check(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> AssetCheckResult:
        from social_assets.quality.media import stored_media

        with clickhouse.client(f"{context.run.run_id} check media") as client:
            stored = stored_media(client, contract.name)
        return AssetCheckResult(
            passed=stored.size_bytes <= media.warn_above_bytes,
            severity=AssetCheckSeverity.WARN,
            description=f"{counted(stored.files, 'file')} with {stored.size_bytes:,} bytes",
            metadata={"files": stored.files, "bytes": stored.size_bytes},
        )

    return check


def _shown(counts: "list[MediaCount]") -> MetadataValue[Any]:
    rows = [
        TableRecord(
            {
                "platform": each.platform,
                "state": each.state,
                "reason": each.reason,
                "pictures": each.pictures,
            }
        )
        for each in counts
    ]
    return MetadataValue.table(rows) if rows else MetadataValue.text("none")
