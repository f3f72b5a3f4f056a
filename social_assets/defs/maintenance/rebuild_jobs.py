"""The jobs that rebuild days, and that train; and the schedules that request them.

Belongs here: which assets are made together in a run, and when. How a day is made belongs to the
assets.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import cache

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    define_asset_job,
    schedule,
)

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.defs.automation import RETRIES
from social_assets.defs.monitoring.verification import all_partition_checks
from social_assets.defs.recommenders.assets import EVERY_DAY, ON_REQUEST
from social_assets.defs.text.champion import CHALLENGER, CHAMPION

REBUILD = "rebuild_days"
RECOMMEND = "recommend"
TRAIN_TEXTS = "train_text_models"
REBUILD_LAYERS = ("raw", "cleaned", "quarantine", "star", "rollups", "features", "text")


@cache
def rebuild_job() -> UnresolvedAssetJobDefinition:
    """The job of the layers that are partitioned by day, and of their checks."""
    # A rebuild of days changes no model.
    layers = AssetSelection.groups(*REBUILD_LAYERS) - AssetSelection.assets(CHALLENGER, CHAMPION)
    return define_asset_job(
        REBUILD,
        selection=layers - AssetSelection.checks(all_partition_checks()),
        description="Take waiting files, then make days anew in all layers, and check them",
        tags=RETRIES,
    )


recommend_job = define_asset_job(
    RECOMMEND,
    selection=AssetSelection.assets(*EVERY_DAY),
    description="Train and evaluate the models; publish the champion and its recommendations",
)

train_texts_job = define_asset_job(
    TRAIN_TEXTS,
    selection=AssetSelection.assets(CHALLENGER, CHAMPION),
    description="Train a text model on the labelled texts; promote it if it is better",
)

recommend_with_all_job = define_asset_job(
    "recommend_with_all_models",
    selection=AssetSelection.groups("recsys") - AssetSelection.assets(*ON_REQUEST),
    description="The same with those models, too, that cost minutes",
)


def nightly_rebuild() -> ScheduleDefinition:
    """Request the day that has ended. The newest partition is today's."""

    @schedule(
        name="nightly_rebuild",
        job=rebuild_job(),
        cron_schedule="0 2 * * *",
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description="Makes the day before anew; the recommenders follow by automation condition",
    )
    def ask(context: ScheduleEvaluationContext) -> RunRequest:
        yesterday = context.scheduled_execution_time.astimezone(UTC).date() - timedelta(days=1)
        return RunRequest(partition_key=yesterday.isoformat())

    return ask
