"""The job that drains a stream's Kafka topic: takes micro-batches through every step for some
minutes.

Belongs here: streaming in Dagster, one job a stream. Its run records a materialization for exactly
the days whose rows changed, of every asset that has them, at most every few seconds. The views
behind the insert update facts and rollups: no dbt runs here.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from dagster import (
    AssetKey,
    AssetMaterialization,
    Config,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    in_process_executor,
    job,
    op,
)
from pydantic import Field

from resources.dagster.recorded_events import record
from resources.kafka.resource import KafkaResource
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.watermark import WATERMARK_DELAY
from social_assets.defs.ingestion.checks.rule_results import RuleReports
from social_assets.defs.ingestion.jobs.changed_days import fed_now, materializations
from social_assets.defs.monitoring.invariant_results import report_days
from social_assets.defs.partitions import partition_notice
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.cut_records import CutCounts
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.micro_batch import DayCounts
from social_assets.pipeline.topics.topic_source import LIMITS, Limits

MATERIALIZE_SECONDS = 5.0
"""How often a changing day is recorded as materialized. The promise is at most once a second;
recording a fact with its dimensions and rollups takes about 0.2 s."""

STEP_SECONDS = "step_seconds"
"""The seconds of each step since the last record of raw. Steps run at the same time, so the sum is
more than the elapsed time."""

Log = Callable[[AssetMaterialization], None]
Metadata = dict[str, MetadataValue[Any]]


class DrainConfig(Config):
    """How long the run continues."""

    seconds: float = Field(
        default=LIMITS.seconds, description="The run ends after so many seconds; another follows"
    )
    quiet_seconds: float = Field(
        default=LIMITS.quiet_seconds, description="It ends when nothing has come for so long"
    )
    on_spark: bool = Field(
        default=False, description="Spark's executors take the records, by Structured Streaming"
    )


def drain_job_name(contract: Contract) -> str:
    """The name of a stream's job."""
    return f"drain_{contract.name}"


def drain_job(contract: Contract) -> JobDefinition:
    """The job of one stream."""

    @op(name=f"drain_{contract.name}_topic", description="Micro-batches, until it is quiet")
    def take(
        context: OpExecutionContext,
        config: DrainConfig,
        stores: StoresResource,
        kafka: KafkaResource,
    ) -> None:
        deploy_in_force(stores)
        finish_warehouse(context.instance, stores, f"{context.run.run_id} finish_days")
        stream = stores.stores().of(contract, f"{context.run.run_id} drain {contract.name}")
        taken_days = Materializations(stream, fed_now(stream), context.log_event)
        reports = RuleReports(stream)

        def record_batch(taken: Taken) -> None:
            taken_days.take(taken)
            if taken.days:
                record(context, reports.changes())

        for day in sorted(_drained(stream, kafka, record_batch, config)):
            taken_days.changed(day)
        taken_days.flush()
        # And what this drain found interrupted.
        finish_warehouse(context.instance, stores, f"{context.run.run_id} finish_days")
        record(context, reports.all())
        record(context, report_days(context.instance, stream, taken_days.days))
        if notice := partition_notice(taken_days.days):
            context.log.warning(notice)
        context.log.info(taken_days.summary())

    # In the run's process: another one for the step would cost seconds at each run.
    @job(
        name=drain_job_name(contract),
        description=f"Drain topic {contract.kafka_topic} through every step, until it is quiet",
        executor_def=in_process_executor,
        tags={STREAM_TAG: contract.name},
    )
    def drain_topic() -> None:
        take()

    return drain_topic


def _drained(
    stream: StreamStores,
    kafka: KafkaResource,
    report: Callable[[Taken], None],
    config: DrainConfig,
) -> set[date]:
    limits = Limits(seconds=config.seconds, quiet_seconds=config.quiet_seconds)
    if not config.on_spark:
        return drain(stream, kafka, report, limits)
    # Imported here: only a drain on Spark needs it.
    from social_assets.pipeline.spark.drain import SPARK_LIMITS, drain_on_spark

    return drain_on_spark(
        stream, kafka, report, replace(limits, max_records=SPARK_LIMITS.max_records)
    )


class Materializations:
    """Turns micro-batches into materializations of the days they changed."""

    def __init__(self, stream: StreamStores, behind: Sequence[AssetKey], log: Log) -> None:
        """`behind` are the facts, dimensions and rollups that the warehouse's views keep."""
        self._stream = stream
        self._behind = behind
        self._log = log
        self._pending: defaultdict[date, list[DayCounts]] = defaultdict(list)
        self._last: Taken | None = None
        self._step_seconds: defaultdict[str, float] = defaultdict(float)
        self._records = 0
        self._cut: CutCounts | None = None
        self._flushed = 0.0
        self.days: set[date] = set()

    def take(self, taken: Taken) -> None:
        """Add a micro-batch, and record the changed days if it is time."""
        for day, counts in taken.days.items():
            self._pending[day].append(counts)
            self._records += counts.landed
        self._last = taken
        if taken.cut is not None:
            self._cut = (self._cut or CutCounts()) + taken.cut
        for step, seconds in taken.seconds.items():
            self._step_seconds[step] += seconds
        if time.monotonic() - self._flushed >= MATERIALIZE_SECONDS:
            self.flush()

    def changed(self, day: date) -> None:
        """Account for a day that changed when pending batches of an earlier run were recovered."""
        self._pending[day] += []

    def flush(self) -> None:
        """Record the days that changed since the last call."""
        self.days |= self._pending.keys()
        for event in materializations(self._stream, sorted(self._pending), self._behind):
            layer, day = event.asset_key.path[0], date.fromisoformat(str(event.partition))
            records = _brought(layer, self._pending[day])
            if layer == "quarantine" and records == 0:
                continue
            added = {} if records is None else {"records": MetadataValue.int(records)}
            progress = self._progress() if layer == "raw" else {}
            self._log(event.with_metadata({**event.metadata, **added, **progress}))
        self._pending.clear()
        self._step_seconds.clear()
        self._flushed = time.monotonic()

    def summary(self) -> str:
        """The result of the run in one line."""
        if self._last is None:
            return "nothing new"
        offsets = ", ".join(f"{p}: {end}" for p, end in sorted(self._last.next_offsets.items()))
        told = f"{self._records} records, up to offsets {offsets}"
        if self._cut is None:
            return told
        of = f"cut out of {self._cut.records} of the topic"
        return f"{told}; {of}, {self._cut.without} of them without elements"

    def _progress(self) -> Metadata:
        if self._last is None:
            return {}
        last = self._last
        found: Metadata = {
            "offsets": MetadataValue.json({str(p): end for p, end in last.next_offsets.items()}),
            "lag": MetadataValue.int(last.lag),
            "delay_seconds": MetadataValue.float(round(last.delay_seconds, 3)),
            STEP_SECONDS: MetadataValue.json(
                {step: round(seconds, 3) for step, seconds in self._step_seconds.items()}
            ),
        }
        if self._cut is not None:
            # Since the run began: what the offsets cover that no row of raw shows.
            found["records_cut"] = MetadataValue.int(self._cut.records)
            found["records_without_elements"] = MetadataValue.int(self._cut.without)
        if last.newest_event is not None:
            watermark = last.newest_event - WATERMARK_DELAY
            found["watermark"] = MetadataValue.timestamp(watermark)
        return found


def _brought(layer: str, counts: Sequence[DayCounts]) -> int | None:
    """How many rows a layer got; None if it is not known: for tables behind the warehouse's views,
    and for days that changed when pending batches were recovered.
    """
    if not counts:
        return None
    match layer:
        case "raw":
            return sum(c.landed for c in counts)
        case "cleaned":
            return sum(c.accepted for c in counts)
        case "quarantine":
            return sum(c.duplicates + c.rejected for c in counts)
    return None
