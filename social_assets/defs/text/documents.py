"""`text/documents`: the texts that search finds, by day, and the check of them.

Belongs here: when it is made and what is shown. The table is filled by
`social_assets.transform.text.documents`; what is asked of it belongs to `serving.search`.
"""

import time
from functools import cache

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    BackfillPolicy,
    MaterializeResult,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.defs.automation import MAKE_CHANGED_DAYS
from social_assets.defs.partitions import daily, days_of, days_of_check
from social_assets.defs.reporting import check_comment
from social_assets.defs.stores import StoresResource
from social_assets.defs.text.reporting import table_metadata
from social_assets.defs.text.sentiment import KEY as SENTIMENT
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.quality.documents import count_documents
from social_assets.transform.text.documents import index_days
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse.search_tables import COLUMNS, DOCUMENTS, MEANING

KEY = AssetKey(["text", "documents"])
EVERY_TEXT_IS_FOUND = "every_text_is_found"
_SOURCES = [AssetKey(["cleaned", source.stream]) for source in TEXT_SOURCES]


@cache
def documents() -> AssetsDefinition:
    """The asset; reads the first date of the installation."""

    @asset(
        key=KEY,
        group_name="text",
        deps=[*_SOURCES, SENTIMENT],
        partitions_def=daily(),
        backfill_policy=BackfillPolicy.single_run(),
        owners=["team:content"],
        kinds={"clickhouse"},
        automation_condition=MAKE_CHANGED_DAYS,
        pool="text_documents",
        description=(
            f"{MEANING}. The newest text of each, with its sentiment, in ClickHouse's text index: "
            "what `social-assets search`, the page Search and /api/v1/search read"
        ),
        metadata=table_metadata(DOCUMENTS, COLUMNS, "one row a kind, platform and document_id"),
    )
    def documents(
        context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
    ) -> MaterializeResult[None]:
        """All days change in one step; a run that is killed is repeated without harm."""
        started = time.monotonic()
        days = days_of(context)
        opened = stores.stores()
        opened.lake.expired_days().refuse([key.to_user_string() for key in _SOURCES], days)
        deploy_in_force(stores)
        finish_before_rebuild(context.instance, stores, context.run.run_id)
        locks = Home.from_environment().path / "locks"
        comment = f"{context.run.run_id} {KEY.to_user_string()}"
        with clickhouse.client(comment) as client:
            found = index_days(client, locks, days, context.run.run_id)
        return MaterializeResult(
            metadata={
                "dagster/row_count": found.documents,
                "days_of_earlier_texts": len(set(found.days) - set(days)),
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    return documents


@asset_check(
    asset=KEY,
    name=EVERY_TEXT_IS_FOUND,
    additional_deps=_SOURCES,
    description="Each current text is one document that the index gives, each document its text",
)
def every_text_is_found(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Counted for the days of the run, or for all days that have documents."""
    comment = check_comment(context, KEY)
    with clickhouse.client(comment) as client:
        found = count_documents(client, days_of_check(context))
    return AssetCheckResult(
        passed=found.is_right,
        metadata={
            "texts": found.texts,
            "texts_without_document": found.missing,
            "documents_without_text": found.stale,
            "doubled_documents": found.doubled,
            "not_in_index": found.not_in_index,
        },
    )


document_checks: list[AssetChecksDefinition] = [every_text_is_found]
