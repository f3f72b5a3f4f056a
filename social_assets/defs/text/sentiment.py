"""`text/sentiment`: the sentiment of every text, by day, and the check of it.

Belongs here: when it is made and what is shown. The table and the scoring are in
`social_assets.transform.text`.
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
    AssetSelection,
    BackfillPolicy,
    MaterializeResult,
    MetadataValue,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.automation import MAKE_CHANGED_DAYS
from social_assets.defs.partitions import daily, days_of, days_of_check
from social_assets.defs.reporting import check_comment
from social_assets.defs.stores import StoresResource
from social_assets.defs.text.champion import CHAMPION
from social_assets.defs.text.reporting import damage_without_retry, table_metadata
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_before_rebuild
from social_assets.metrics.registry import metrics_from
from social_assets.quality.texts import compare_scored_texts
from social_assets.transform.text.sentiment import score_days
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse.compared_days import EVERY_TEXT_IS_SCORED
from social_assets.warehouse.text_tables import COLUMNS, MEANING, SENTIMENT, VIEWS

KEY = AssetKey(["text", "sentiment"])
_SOURCES = [AssetKey(["cleaned", source.stream]) for source in TEXT_SOURCES]


@cache
def sentiment() -> AssetsDefinition:
    """The asset; reads the first date of the installation."""

    @asset(
        key=KEY,
        group_name="text",
        deps=[*_SOURCES, CHAMPION],
        partitions_def=daily(),
        backfill_policy=BackfillPolicy.single_run(),
        owners=["team:content"],
        kinds={"clickhouse", "python"},
        # A new champion scores days that are made again; all others by a backfill.
        automation_condition=MAKE_CHANGED_DAYS.ignore(AssetSelection.assets(CHAMPION)),
        pool="text_sentiment",
        description=(
            f"{MEANING}. Score from -1 to 1 and label, by the champion of the text models. Only "
            "new and changed texts are scored; another version of the model scores all texts of "
            "the day again"
        ),
        metadata={
            "metrics": MetadataValue.text(_metrics()),
            "views": MetadataValue.text(", ".join(VIEWS)),
            **table_metadata(SENTIMENT, COLUMNS, "one row a stream, platform, text and day"),
        },
    )
    def sentiment(
        context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
    ) -> MaterializeResult[None]:
        """Each day changes in one step; a run that is killed is repeated without harm."""
        return _made(context, clickhouse, stores)

    return sentiment


def _metrics() -> str:
    """The metrics that the views on the table answer."""
    found = (metric.name for view in VIEWS for metric in metrics_from(view))
    return ", ".join(dict.fromkeys(found))


def _made(
    context: AssetExecutionContext, clickhouse: ClickHouseResource, stores: StoresResource
) -> MaterializeResult[None]:
    from social_assets.transform.text.registry import models_in_force, scoring_model

    started = time.monotonic()
    days = days_of(context)
    stores.stores().lake.expired_days().refuse([key.to_user_string() for key in _SOURCES], days)
    deploy_in_force(stores)
    finish_before_rebuild(context.instance, stores, context.run.run_id)
    with damage_without_retry():
        model = scoring_model(models_in_force())
    with clickhouse.client(f"{context.run.run_id} {KEY.to_user_string()}") as client:
        found = score_days(client, model, days, context.run.run_id)
        shares = client.query(
            f"SELECT label, count() / sum(count()) OVER () FROM {SENTIMENT}\n"
            "WHERE event_date IN {days:Array(Date)} GROUP BY label ORDER BY label",
            parameters={"days": days},
        ).result_rows
    return MaterializeResult(
        metadata={
            "dagster/row_count": found.scored + found.kept,
            "texts_scored": found.scored,
            "texts_kept": found.kept,
            **{f"share_{label}": MetadataValue.float(round(share, 4)) for label, share in shares},
            "model": f"{model.name} {model.version}",
            "seconds": round(time.monotonic() - started, 3),
        }
    )


@asset_check(
    asset=KEY,
    name=EVERY_TEXT_IS_SCORED,
    additional_deps=_SOURCES,
    description="Each text that is not blank has one row with a valid score, and each row its text",
)
def every_text_is_scored(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Counted for the days of the run, or for all days that have scores."""
    comment = check_comment(context, KEY)
    with clickhouse.client(comment) as client:
        found = compare_scored_texts(client, days_of_check(context))
    return AssetCheckResult(
        passed=found.is_right,
        metadata={
            "texts": found.texts,
            "texts_without_row": found.unscored,
            "rows_without_text": found.stale,
            "doubled_rows": found.doubled,
            "wrong_rows": found.wrong,
        },
    )


text_checks: list[AssetChecksDefinition] = [every_text_is_scored]
