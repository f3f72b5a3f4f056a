"""Drains a stream's topic by Spark's Structured Streaming, as `topics.drain` does on one machine.

Belongs here: the query, and the steps and commits of each micro-batch. Executors read, write raw,
validate and deduplicate; the driver commits with the transactions of every drain and inserts into
the warehouse. The lake holds the offsets, not Spark's checkpoint, which lives as long as a query: a
drain of either kind goes on where the last one of any kind has stopped.
"""

from __future__ import annotations

import json
import pickle
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from resources.settings.home import Home
from resources.spark.kafka_source import kafka_jars, source_options
from resources.spark.session import spark_session
from social_assets.lake.delta import Applied
from social_assets.lake.ledger import BATCH_PREFIX
from social_assets.lake.maintenance import compact_briefly
from social_assets.lake.row_groups import row_groups
from social_assets.pipeline.files.land import arrival
from social_assets.pipeline.ledger_counts import enter_cleaned, enter_landed, reconcile
from social_assets.pipeline.quarantined_batches import UnvalidatedBatchError, quarantine_batch
from social_assets.pipeline.spark.job import SparkJob
from social_assets.pipeline.spark.land_records import LandedPart, LandingJob, land_records
from social_assets.pipeline.spark.run_job import counts_of, run
from social_assets.pipeline.spark.tasks import Written
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.cut_records import CutCounts
from social_assets.pipeline.topics.drain import Taken
from social_assets.pipeline.topics.drain_begin import begin
from social_assets.pipeline.topics.group_offsets import GroupOffsets
from social_assets.pipeline.topics.micro_batch import MICRO_BATCH, DayCounts, landed_after, version
from social_assets.pipeline.topics.topic_offsets import BrokerOffsets, landed
from social_assets.pipeline.topics.topic_source import Broker, Limits
from social_assets.pipeline.validation.records import Counts
from social_assets.transform.duckdb_engine import Session
from social_assets.warehouse.loader import rows_for_warehouse
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader, micro_batch_loader

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SPARK_LIMITS = Limits(max_records=400_000)
"""A micro-batch is as large as one machine can recover."""
_PAYLOAD = "payload binary"
_SETTINGS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(32 << 20),
    "spark.sql.session.timeZone": "UTC",
}


class _DrainEndedError(Exception):
    """Ends a query between two micro-batches; the drain catches it."""


def drain_on_spark(
    stores: StreamStores,
    broker: Broker,
    report: Callable[[Taken], None],
    limits: Limits = SPARK_LIMITS,
) -> set[date]:
    """Take the topic's records through all steps until it is quiet, as `drain` does.

    Raises SparkNotInstalledError, SparkJarsError, and KafkaBrokerError without the jars.
    """
    spark = spark_session(kafka_jars(Home.from_environment().spark))
    with (
        stores.lock(),
        stores.engine.session() as session,
        micro_batch_loader(stores.loader) as loader,
    ):
        found = begin(stores, broker, limits.away_seconds)
        if found.offsets is None:
            return found.recovered
        course = _Course(
            stores, session, loader, offsets=found.offsets, report=report, limits=limits
        )
        course.held, course.next = dict(found.held), dict(found.first)
        course.run(spark, broker)
    return found.recovered


class _Course:
    """Takes micro-batches through the steps, one after the other."""

    def __init__(
        self,
        stores: StreamStores,
        session: Session,
        loader: MicroBatchLoader,
        *,
        offsets: BrokerOffsets,
        report: Callable[[Taken], None],
        limits: Limits,
    ) -> None:
        self._stores = stores
        self._session = session
        self._loader = loader
        self._offsets = offsets
        self._report = report
        self._limits = limits
        self._arrival = arrival(stores)
        self._ends_at = time.monotonic() + limits.seconds
        self._ends: Mapping[int, int] = offsets.end
        self._failed: Exception | None = None
        self._days = set[date]()
        self._log = StepLog(stores)
        self.held: dict[int, int] = {}
        """The offsets that raw has."""
        self.next: dict[int, int] = {}
        """The next offsets to read."""

    def run(self, spark: SparkSession, broker: Broker) -> None:
        """Query what there is, again and again, until nothing has come for the quiet seconds."""
        last_read = time.monotonic()
        while not self._is_over():
            now = broker.offsets(self._offsets.topic, self._limits.away_seconds)
            if now is None or now.topic_id != self._offsets.topic_id:
                # Deleted or recreated: the next drain begins with the new topic.
                break
            self._ends = now.end
            self.next |= {p: now.earliest[p] for p in now.end.keys() - self.next.keys()}
            before = dict(self.held)
            if any(end > self.next[p] for p, end in now.end.items()):
                self._query(spark, broker)
            if self.held != before:
                last_read = time.monotonic()
            elif time.monotonic() - last_read > self._limits.quiet_seconds:
                break
            else:
                time.sleep(self._limits.pace_seconds)
        if self._days:
            stores = self._stores
            GroupOffsets(broker, self._offsets.topic, self._log.warning).tell_last(self.next)
            compact_briefly([stores.raw, stores.cleaned, stores.quarantine], self._days)

    def _is_over(self) -> bool:
        return time.monotonic() > self._ends_at or self._stores.is_wanted()

    def _query(self, spark: SparkSession, broker: Broker) -> None:
        """Take what the topic has now. Raises the error of a step as it was raised there."""
        from pyspark.errors import StreamingQueryException

        starts = {self._offsets.topic: {str(p): offset for p, offset in self.next.items()}}
        folder = self._stores.engine.spill_folder()
        with tempfile.TemporaryDirectory(dir=folder, prefix="spark-drain-") as checkpoint:
            query = (
                spark.readStream.format("kafka")
                .options(**source_options(broker.client_settings()))
                .option("subscribe", self._offsets.topic)
                .option("startingOffsets", json.dumps(starts))
                .option("includeHeaders", "true")
                .option("maxOffsetsPerTrigger", str(self._limits.max_records))
                .load()
                .writeStream.trigger(availableNow=True)
                .option("checkpointLocation", f"file://{checkpoint}")
                .foreachBatch(self._noted)
                .start()
            )
            try:
                with suppress(_DrainEndedError):
                    try:
                        query.awaitTermination()
                    except StreamingQueryException:
                        if self._failed is None:
                            raise
                        # Without Spark's error, which repeats it as text.
                        raise self._failed from None
            finally:
                self._failed = None
                query.stop()

    def _noted(self, frame: DataFrame, number: int) -> None:
        """Take a micro-batch; an error travels through Java as a text, so it is kept."""
        try:
            if self._is_over():
                raise _DrainEndedError
            self.take(frame, number)
        except Exception as error:
            self._failed = error
            raise

    def take(self, frame: DataFrame, _: int) -> None:
        """Take a micro-batch through all steps. What raw has of it already is left out."""
        stores, started = self._stores, time.monotonic()
        self._arrival = max(datetime.now(UTC), self._arrival + timedelta(microseconds=1))
        arrived = self._arrival
        batch_id = f"{BATCH_PREFIX}{self._offsets.topic}/{arrived:%Y-%m-%dT%H:%M:%S.%f}"
        parts = self._landed(frame, batch_id)
        days = sum((part.days for part in parts), Counter[date]())
        if not any(part.next_offsets for part in parts):
            return
        seconds = {"read": time.monotonic() - started}
        started = time.monotonic()
        job = SparkJob.of(stores, batch_id=batch_id)
        counts: Sequence[Counts] = []
        written: list[Written] = []
        if days:
            try:
                written = run(job, row_groups(stores.raw, sorted(days), batch_id))
                counts = counts_of(written)
            except UnvalidatedBatchError as error:
                quarantine_batch(stores, batch_id, error, "validate", [self._offsets.topic])
                reconcile(stores)
            self._clean(written, Applied(MICRO_BATCH, version(arrived), is_once=True))
        enter_landed(stores, counts)
        enter_cleaned(stores, counts)
        seconds["validate"] = time.monotonic() - started
        started = time.monotonic()
        newest = self._load(arrived)
        seconds["load"] = time.monotonic() - started
        self._days |= days.keys()
        self._tell(batch_id, parts, counts, newest, seconds)

    def _landed(self, frame: DataFrame, batch_id: str) -> list[LandedPart]:
        """The first step: executors write files of raw, and one commit names them."""
        stores, arrived = self._stores, self._arrival
        stores.raw.rows_written(())
        job = pickle.dumps(SparkJob.of(stores))
        landing = pickle.dumps(LandingJob(job, batch_id, arrived, self.held))
        for name, value in _SETTINGS.items():
            frame.sparkSession.conf.set(name, value)
        rows = (
            frame.select("value", "key", "headers", "partition", "offset", "timestamp")
            .mapInArrow(partial(land_records, landing), _PAYLOAD)
            .collect()
        )
        parts: list[LandedPart] = [pickle.loads(row.payload) for row in rows]  # noqa: S301 - of ours
        ends: dict[int, int] = {}
        for part in parts:
            ends |= {p: max(end, ends.get(p, 0)) for p, end in part.next_offsets.items()}
        if ends:
            applied = landed(self._offsets, ends, self.held)
            files = [file for part in parts for file in part.files]
            if files:
                applied.append(Applied(MICRO_BATCH, version(arrived)))
            stores.raw.append_by(files, *applied)
            self.held |= ends
            self.next |= ends
        return parts

    def _clean(self, written: Sequence[Written], applied: Applied) -> None:
        """The second step. Cleaned records the micro-batch even without rows."""
        stores = self._stores
        quarantine = [file for each in written for file in each.quarantine]
        if quarantine:
            stores.quarantine.append_by(quarantine, applied)
        stores.cleaned.append_by([file for each in written for file in each.cleaned], applied)

    def _load(self, arrived: datetime) -> datetime | None:
        """The third step; returns the newest event time."""
        stores, columns = self._stores, rows_for_warehouse(self._stores.contract)
        newest = None
        before = arrived - timedelta(microseconds=1)
        for _, rows in landed_after(self._session, stores.cleaned, columns, before):
            self._loader.insert(arrived, rows)
            newest = pc.max(rows["event_time"]).as_py() if "event_time" in columns else None
        self._loader.mark_loaded(arrived)
        return newest

    def _tell(
        self,
        batch_id: str,
        parts: Sequence[LandedPart],
        counts: Sequence[Counts],
        newest: datetime | None,
        seconds: Mapping[str, float],
    ) -> None:
        oldest = min((part.oldest for part in parts if part.oldest), default=None)
        cut = [part.cut for part in parts if part.cut is not None]
        by_day: defaultdict[date, DayCounts] = defaultdict(lambda: DayCounts(0, 0, 0, 0))
        for each in counts:
            by_day[each.event_date] = DayCounts(
                each.landed, each.accepted, each.duplicates, each.rejected
            )
        lag = sum(max(0, end - self.next[p]) for p, end in self._ends.items())
        taken = Taken(
            days=dict(by_day),
            next_offsets=dict(self.next),
            lag=lag,
            newest_event=newest,
            delay_seconds=(datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0,
            seconds=seconds,
            cut=sum(cut, CutCounts()) if cut else None,
        )
        how = {"step": "drain", "batch_id": batch_id, "records": sum(c.landed for c in counts)}
        self._log.info("through all steps, %s offsets behind", lag, extra=how)
        self._report(taken)
