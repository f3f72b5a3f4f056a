"""Requests a load if files wait in a stream's landing folder.

It has no cursor and no run keys. The folder shows which files wait, and the instance shows which
loads run, so a load that failed or was deleted is requested again.
"""

from __future__ import annotations

from dagster import (
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.defs.ingestion.jobs.load_job import JOB_NAME, run_config
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.ingest.records import shown_path
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.files.unfinished_files import is_at_rest, rest_seconds
from social_assets.pipeline.landing_store.landing_objects import waiting_objects

UNDERWAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
INTERVAL_SECONDS = 30


def file_arrival_sensor(contract: Contract) -> SensorDefinition:
    """The sensor of one stream. It requests a run if files wait and no load is running."""

    @sensor(
        name=f"{contract.name}_files",
        job_name=JOB_NAME,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Loads files dropped into landing/{contract.name}/",
    )
    def files(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        landing = Landing(Home.from_environment().landing, contract.name)
        waiting = [*landing.rewritten(), *landing.waiting()]
        rest = rest_seconds()
        # Files of the home wait for no store: it is asked if there are none.
        is_due = any(is_at_rest(path, rest) for path in waiting) or waiting_objects(landing) > 0
        if not waiting and not is_due:
            return SkipReason(f"no file waits in landing/{contract.name}/")
        if not is_due:
            return SkipReason(
                f"{shown_path(waiting[0])} was written to in the last {rest:g} seconds; "
                f"{len(waiting)} waiting"
            )
        tags = {STREAM_TAG: contract.name}
        underway = context.instance.get_runs(RunsFilter(statuses=UNDERWAY, tags=tags), limit=1)
        if underway:
            return SkipReason(f"run {underway[0].run_id} is loading {contract.name}")
        return SensorResult(
            run_requests=[RunRequest(run_config=run_config(contract.name), tags=tags)]
        )

    return files
