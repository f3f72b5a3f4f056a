"""Requests a collection of a platform of which something is due: one sensor a platform.

It has no cursor and no run keys: the operational store knows what is due, the instance knows what
runs. So a run that failed, was killed or was deleted is requested again, and nothing is forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dagster import (
    DagsterInstance,
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
from sensors.file_arrival import UNDERWAY
from sensors.kafka_offsets import back_off
from social_assets.defs.collection.collect_job import PLATFORM_TAG, collect_job_name
from social_assets.ingest.connectors.connector import Connector

if TYPE_CHECKING:
    from sqlalchemy import Engine

INTERVAL_SECONDS = 10
NEW_AGAIN = timedelta(minutes=5)
"""So long after a run, accounts whose ids it could not find are tried again."""


def collection_sensor(connector: Connector) -> SensorDefinition:
    """The sensor of one platform."""

    @sensor(
        name=f"{connector.platform.lower()}_collection",
        job_name=collect_job_name(connector),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Collects what is due of accounts that are tracked on {connector.platform}",
    )
    def collection(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        home, at = Home.from_environment(), datetime.now(UTC)
        why = why_to_wait(context.instance, home, connector, at)
        if why is not None:
            return SkipReason(why)
        tags = {PLATFORM_TAG: connector.platform}
        return SensorResult(run_requests=[RunRequest(tags=tags)])

    return collection


def why_to_wait(
    instance: DagsterInstance, home: Home, connector: Connector, at: datetime
) -> str | None:
    """Why a platform is not to be collected from now; None if it is."""
    from social_assets.control.location import ControlLocation

    nothing = "nothing is due; `social-assets track` names accounts to collect"
    location = ControlLocation.of(home)
    if location.url is None and not location.file.exists():
        return nothing
    from social_assets.control.collection.tracked_accounts import TrackedAccounts

    tracked = TrackedAccounts(_engine(home))
    is_due = bool(tracked.due(connector.platform, at, 1))
    if not is_due and not tracked.without_endpoints(connector.platform, 1):
        return nothing
    return _why_runs_wait(instance, connector, at, is_new=not is_due)


def _why_runs_wait(
    instance: DagsterInstance, connector: Connector, at: datetime, *, is_new: bool
) -> str | None:
    """Why another run has to wait for the latest ones; None if it does not."""
    jobs = RunsFilter(job_name=collect_job_name(connector))
    records = instance.get_run_records(jobs, limit=8)
    runs = [each.dagster_run for each in records]
    underway = next((run for run in runs if run.status in UNDERWAY), None)
    if underway is not None:
        return f"run {underway.run_id} is collecting from {connector.platform}"
    wait = back_off(instance, runs)
    if wait > timedelta():
        return f"the last collection failed; the next one in {wait.total_seconds():.0f} s"
    ended = records[0].end_time if records else None
    if is_new and ended and at.timestamp() - ended < NEW_AGAIN.total_seconds():
        return "accounts whose ids were not found are tried again in five minutes"
    return None


@lru_cache(maxsize=1)
def _engine(home: Home) -> Engine:
    """The operational store, opened once a process: a tick takes milliseconds."""
    from social_assets.control.engine import open_engine

    return open_engine(home)
