"""Requests a drain if a stream's topic is ahead of the lake.

It has no cursor and no run keys, and it consumes nothing. The broker knows the topic's end offsets,
the lake knows the drained offsets, the instance knows the running drains. So a drain that failed,
was killed or was deleted is requested again, and no offset range is forgotten.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRecord,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource, TopicOffsets
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.settings.home import Home
from sensors.file_arrival import UNDERWAY
from social_assets.contracts.contract import Contract
from social_assets.defs.ingestion.jobs.drain_job import drain_job_name
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG

INTERVAL_SECONDS = 1
BROKER_SECONDS = 5.0
"""How long a tick waits for the broker: far below its deadline."""

STARTING_SECONDS = 60
"""If a started run has not taken its stream's lock after so long, its process is dead."""

LAUNCHING_SECONDS = 300
"""If a run has not started after so long, its process is dead. A queue, a container or a busy
machine may delay a start."""

FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(minutes=5)

OFFSETS_TAG = "social_assets/offsets"

_drained: dict[tuple[str, str], Mapping[int, int]] = {}
"""(Stream, topic id) -> the end offsets at which all was drained. It only saves reading the
instance and the lake."""


def kafka_offsets_sensor(contract: Contract) -> SensorDefinition:
    """The sensor of one stream: requests a drain if the topic is ahead and no drain is running."""
    job_name = drain_job_name(contract)

    @sensor(
        name=f"{contract.name}_kafka",
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=f"Drains topic {contract.kafka_topic} when it has more than the lake",
    )
    def offsets(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        # Not as resources of the sensor: Dagster would open its instance at each tick to make
        # them, which takes five times as long as all else here. Neither has a configuration.
        kafka, stores = KafkaResource(), StoresResource(clickhouse=ClickHouseResource())
        if not kafka.is_configured():
            return SkipReason(
                f"no Kafka is named: set {BOOTSTRAP_SERVERS}, or start the home's own broker with "
                "`social-assets kafka start`"
            )
        there = kafka.offsets(contract.kafka_topic, BROKER_SECONDS)
        if there is None:
            return SkipReason(f"there is no topic {contract.kafka_topic}")
        has_all = SkipReason(f"the lake has all of topic {contract.kafka_topic}")
        known = (contract.name, there.topic_id)
        if _drained.get(known) == there.end:
            return has_all
        runs = context.instance.get_runs(RunsFilter(job_name=job_name), limit=8)
        if (reason := _why_to_wait(context.instance, runs, contract)) is not None:
            return SkipReason(reason)
        # A drain that broke off may have landed all records without cleaning and loading them.
        broke_off = bool(runs) and runs[0].status != DagsterRunStatus.SUCCESS
        if not broke_off and not _lag(contract, there, stores):
            _drained[known] = there.end
            return has_all
        ends = ",".join(f"{p}:{end}" for p, end in sorted(there.end.items()))
        tags = {STREAM_TAG: contract.name, OFFSETS_TAG: ends}
        return SensorResult(run_requests=[RunRequest(tags=tags)])

    return offsets


def _why_to_wait(
    instance: DagsterInstance, runs: Sequence[DagsterRun], contract: Contract
) -> str | None:
    """Why no drain may be requested now, by the latest drains, newest first; None if one may."""
    underway = next((run for run in runs if run.status in UNDERWAY), None)
    if underway is not None and not _is_dead(instance, underway, contract):
        return f"run {underway.run_id} is draining {contract.name}"
    wait = back_off(instance, runs)
    if wait > timedelta():
        return f"the last drain failed; the next one in {wait.total_seconds():.0f} s"
    return None


def back_off(instance: DagsterInstance, runs: Sequence[DagsterRun]) -> timedelta:
    """How long to wait after failed drains, newest first. Each failure doubles the time."""
    failed = 0
    for run in runs:
        if run.status != DagsterRunStatus.FAILURE:
            break
        failed += 1
    if not failed:
        return timedelta()
    ended = _ended_at(instance, runs[0])
    pause: timedelta = min(FIRST_BACK_OFF * 2 ** (failed - 1), LONGEST_BACK_OFF)
    return max(timedelta(), ended + pause - datetime.now(UTC))


def _ended_at(instance: DagsterInstance, run: DagsterRun) -> datetime:
    record = instance.get_run_record_by_id(run.run_id)
    if record is None or record.end_time is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(record.end_time, UTC)


def _is_dead(instance: DagsterInstance, run: DagsterRun, contract: Contract) -> bool:
    """Whether a run's process is dead although the run counts as running; reports it as failed.

    A drain holds its stream's lock, which ends with its process. Before it takes the lock and after
    it releases it, the run's events show that it lives.
    """
    from social_assets.lake.lock import is_held

    record = instance.get_run_record_by_id(run.run_id)
    if record is None or is_held(Home.from_environment().path / "locks", contract.name):
        return False
    is_started = run.status == DagsterRunStatus.STARTED
    patience = STARTING_SECONDS if is_started else LAUNCHING_SECONDS
    if datetime.now(UTC) - _last_sign(instance, record) < timedelta(seconds=patience):
        return False
    instance.report_run_failed(
        run, f"its process is gone: nobody holds the lock of {contract.name}; another drain follows"
    )
    return True


def _last_sign(instance: DagsterInstance, record: RunRecord) -> datetime:
    """When the run's newest event was logged, or when its record changed."""
    changed: datetime = record.update_timestamp.replace(tzinfo=UTC)
    newest = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False)
    logged = [datetime.fromtimestamp(event.timestamp, UTC) for event in newest.records]
    return max([changed, *logged])


def _lag(contract: Contract, there: TopicOffsets, stores: StoresResource) -> int:
    """How many offsets the topic is ahead of the lake; a missing range counts as one."""
    # Imported here: Delta is needed only where something may be new.
    from social_assets.pipeline.topics.topic_offsets import starts

    begin = starts(stores.stores().of(contract).raw, there)
    return begin.lag(there) + len(begin.missing)
