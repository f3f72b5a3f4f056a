"""Requests a collection of each platform of which something is due.

It has no cursor and no run keys: the operational store knows what is due, the instance knows what
runs. So a run that failed, was killed or was deleted is requested again, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from social_assets.defs.collection.collect_job import PLATFORM_TAG, collect_job_name, collect_jobs
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.registry import connectors

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAME = "collection"
INTERVAL_SECONDS = 10
NEW_AGAIN = timedelta(minutes=5)
"""So long after a run, accounts whose ids it could not find are tried again."""


def collection_sensor() -> SensorDefinition:
    """The sensor of all platforms."""

    @sensor(
        name=NAME,
        jobs=list(collect_jobs()),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description="Collects what is due of tracked accounts, one run a platform",
    )
    def collection(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        requests = list(due_requests(context.instance, Home.from_environment(), datetime.now(UTC)))
        if not requests:
            return SkipReason("nothing is due; `social-assets track` names accounts to collect")
        return SensorResult(run_requests=requests)

    return collection


def due_requests(instance: DagsterInstance, home: Home, at: datetime) -> Iterator[RunRequest]:
    """A request for each platform that has something due and no run under way."""
    from social_assets.control.location import ControlLocation

    location = ControlLocation.of(home)
    if location.url is None and not location.file.exists():
        return
    from social_assets.control.collection.tracked_accounts import TrackedAccounts

    tracked = TrackedAccounts(_engine(home))
    for connector in connectors():
        is_due = bool(tracked.due(connector.platform, at, 1))
        is_new = not is_due and bool(tracked.without_endpoints(connector.platform, 1))
        if (is_due or is_new) and _may_run(instance, connector, at, is_new=is_new):
            yield RunRequest(
                job_name=collect_job_name(connector), tags={PLATFORM_TAG: connector.platform}
            )


def _may_run(
    instance: DagsterInstance, connector: Connector, at: datetime, *, is_new: bool
) -> bool:
    """Whether no run is under way, and the last one did not fail just now."""
    jobs = RunsFilter(job_name=collect_job_name(connector))
    records = instance.get_run_records(jobs, limit=8)
    runs = [each.dagster_run for each in records]
    if any(run.status in UNDERWAY for run in runs) or back_off(instance, runs) > timedelta():
        return False
    ended = records[0].end_time if records else None
    return not (is_new and ended and at.timestamp() - ended < NEW_AGAIN.total_seconds())


@lru_cache(maxsize=1)
def _engine(home: Home) -> Engine:
    """The operational store, opened once a process: a tick takes milliseconds."""
    from social_assets.control.engine import open_engine

    return open_engine(home)
