"""The jobs that make days anew, and train; and the schedules that ask for them.

Here belongs which assets go together in a run, and when. What a day is made from stands with the
assets.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from dagster import (
    AssetSelection,
    DefaultScheduleStatus,
    RunRequest,
    ScheduleEvaluationContext,
    define_asset_job,
    schedule,
)

from social_assets.defs.automation import RETRIES
from social_assets.defs.monitoring.verification import partitions
from social_assets.defs.recommenders.assets import EVERY_DAY, ON_REQUEST

REBUILD = "rebuild_days"
RECOMMEND = "recommend"
REBUILD_LAYERS = ("raw", "cleaned", "quarantine", "star", "rollups")


rebuild_job = define_asset_job(
    REBUILD,
    selection=AssetSelection.groups(*REBUILD_LAYERS) - AssetSelection.checks(partitions),
    description="Take waiting files, then make days anew from raw to rollups, and check them",
    tags=RETRIES,
)

recommend_job = define_asset_job(
    RECOMMEND,
    selection=AssetSelection.assets(*EVERY_DAY),
    description="Train and evaluate the models; publish the champion and its recommendations",
)

recommend_with_all_job = define_asset_job(
    "recommend_with_all_models",
    selection=AssetSelection.groups("recsys") - AssetSelection.assets(*ON_REQUEST),
    description="The same with those models, too, that cost minutes",
)

jobs = [rebuild_job, recommend_job, recommend_with_all_job]


@schedule(
    name="nightly_rebuild",
    job=rebuild_job,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=DefaultScheduleStatus.RUNNING,
    description="Makes the day before anew; the recommenders follow by automation condition",
)
def nightly_rebuild(context: ScheduleEvaluationContext) -> RunRequest:
    """The day that has ended; what Dagster would build asks for the newest partition, today's."""
    yesterday = context.scheduled_execution_time.astimezone(UTC).date() - timedelta(days=1)
    return RunRequest(partition_key=yesterday.isoformat())


schedules = [nightly_rebuild]
