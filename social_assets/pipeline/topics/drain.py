"""Drains a stream's topic: takes offset ranges through every step until no more records arrive.

Belongs here: the order of the steps: read, validate, commit to the lake, insert into the warehouse,
report. While one step works on a micro-batch, the step before it works on the next one. What a step
does with a micro-batch belongs to `micro_batch`; when and how far the topic is read belongs to
`topic_source`. If a drain is killed, the next one recovers the pending micro-batches and then reads
from the offsets that the lake holds.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from threading import Event

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.ingest.kafka.reader import TopicReader
from social_assets.lake.ledger import Entry
from social_assets.lake.maintenance import compact_briefly
from social_assets.pipeline.prefetch import prefetch
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.cut_records import CutCounts
from social_assets.pipeline.topics.drain_begin import begin
from social_assets.pipeline.topics.group_offsets import GroupOffsets
from social_assets.pipeline.topics.micro_batch import (
    BatchValidator,
    DayCounts,
    ValidatedBatch,
    clean,
    land,
    load,
    quarantine,
    with_own_batch_id,
)
from social_assets.pipeline.topics.topic_offsets import BrokerOffsets, landed
from social_assets.pipeline.topics.topic_source import LIMITS, Arrived, Broker, Limits, TopicSource
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader, micro_batch_loader

RECORD_SECONDS = 5.0
"""How often the loader's record and the group's offsets are updated. After a crash, the part since
the last update is repeated without effect."""


@dataclass(frozen=True)
class Taken:
    """The result of one micro-batch after the last step.

    `lag` is how many offsets the broker was ahead when the batch was read; `delay_seconds` is the
    time from the oldest record's timestamp until it was visible; `seconds` is the time by step;
    `cut` counts the records of Kafka that an `explode` made rows of.
    """

    days: Mapping[date, DayCounts]
    next_offsets: Mapping[int, int]
    lag: int
    newest_event: datetime | None
    delay_seconds: float
    seconds: Mapping[str, float]
    cut: CutCounts | None = None


@dataclass(frozen=True)
class _Validated:
    """A validated micro-batch before the commit to the lake, and the time by step."""

    arrived: Arrived
    validated: ValidatedBatch
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Committed:
    """A micro-batch before the insert, without its raw records, which are most of its bytes."""

    batch_id: str
    is_quarantined: bool
    ingested_at: datetime
    next_offsets: Mapping[int, int]
    lag: int
    days: Mapping[date, DayCounts]
    oldest: datetime | None
    cleaned: pa.Table
    seconds: dict[str, float]
    cut: CutCounts | None


def drain(
    stores: StreamStores,
    broker: Broker,
    report: Callable[[Taken], None],
    limits: Limits = LIMITS,
) -> set[date]:
    """Take the topic's records through all steps.

    Returns the dates that changed by recovery, before the first report. Holds the stream's lock,
    and ends early if another process waits for it. Calls `report` for each micro-batch. Raises the
    errors of the lake, of the warehouse, and of a broker that does not answer for a long time.
    """
    with (
        stores.lock(),
        _seldom_collected(),
        stores.engine.session() as session,
        micro_batch_loader(stores.loader) as loader,
    ):
        found = begin(stores, broker, limits.away_seconds)
        offsets = found.offsets
        if offsets is None:
            return found.recovered
        with TopicReader(
            broker.client_settings(),
            offsets.topic,
            found.first,
            topic_id=offsets.topic_id,
            ask_topic_id=partial(broker.topic_id, offsets.topic),
            patience_seconds=limits.away_seconds,
        ) as reader:
            source = TopicSource(
                stores, broker, reader, offsets=offsets, begin=found.first, limits=limits
            )
            course = _Course(stores, broker, BatchValidator(stores, session), loader, offsets)
            course.run(source, found.held, report)
    return found.recovered


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Collect garbage rarely: messages form no cycles, and searching a hundred thousand of them for
    cycles took a third of the CPU time of reading.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class _Course:
    """Takes micro-batches through the steps."""

    def __init__(
        self,
        stores: StreamStores,
        broker: Broker,
        validator: BatchValidator,
        loader: MicroBatchLoader,
        offsets: BrokerOffsets,
    ) -> None:
        self._held: dict[int, int] = {}
        self._stores = stores
        self._validator = validator
        self._loader = loader
        self._offsets = offsets
        self._days: defaultdict[date, list[DayCounts]] = defaultdict(list)
        self._recorded = time.monotonic()
        self._log = StepLog(stores)
        self._group = GroupOffsets(broker, offsets.topic, self._log.warning)

    def run(
        self, source: TopicSource, held: Mapping[int, int], report: Callable[[Taken], None]
    ) -> None:
        """Run all steps at the same time, each on another micro-batch.

        `held` are the offsets that raw had when the source's first offsets were read from it.
        """
        self._held = dict(held)
        last: _Committed | None = None
        over = Event()
        with (
            prefetch(source.micro_batches(over), over) as arrived,
            prefetch(self._validated(arrived), over) as validated,
            prefetch(self._committed(validated), over) as committed,
        ):
            for batch in committed:
                started = time.monotonic()
                load(self._stores, self._loader, batch.ingested_at, batch.cleaned)
                batch.seconds["load"] = time.monotonic() - started
                last = batch
                if not batch.is_quarantined:
                    for day, counts in batch.days.items():
                        self._days[day].append(counts)
                report(_taken(batch))
                if time.monotonic() - self._recorded > RECORD_SECONDS:
                    self._record(batch)
                    self._group.tell(batch.next_offsets)
        if last is not None:
            self._record(last)
            self._group.tell_last(last.next_offsets)
            self._enter_in_ledger(last.batch_id)
            stores = self._stores
            compact_briefly([stores.raw, stores.cleaned, stores.quarantine], self._days.keys())

    def _validated(self, batches: Iterator[Arrived]) -> Iterator[_Validated]:
        for arrived in batches:
            started = time.monotonic()
            validated = self._validator.validate(arrived.raw, arrived.ingested_at)
            if validated.error is not None:
                validated = with_own_batch_id(validated)
            seconds = {"read": arrived.seconds, "validate": time.monotonic() - started}
            yield _Validated(arrived, validated, seconds)

    def _committed(self, batches: Iterator[_Validated]) -> Iterator[_Committed]:
        for batch in batches:
            started = time.monotonic()
            validated, arrived = batch.validated, batch.arrived
            if validated.error is not None:
                quarantine(self._stores, validated)
            land(self._stores, validated, landed(self._offsets, arrived.next_offsets, self._held))
            self._held |= arrived.next_offsets
            if validated.error is not None:
                self._enter_quarantined(validated)
            clean(self._stores, validated)
            self._validator.committed(validated)
            batch.seconds["commit"] = time.monotonic() - started
            yield _Committed(
                arrived.batch_id,
                validated.error is not None,
                validated.ingested_at,
                arrived.next_offsets,
                arrived.lag,
                validated.counts(),
                pc.min(validated.raw["timestamp"]).as_py(),
                validated.cleaned,
                batch.seconds,
                arrived.cut,
            )

    def _record(self, last: _Committed) -> None:
        """Record that all micro-batches up to this one are loaded."""
        self._loader.mark_loaded(last.ingested_at)
        taken = sum(day.landed for counts in self._days.values() for day in counts)
        how = {"step": "drain", "batch_id": last.batch_id, "records": taken}
        self._log.info("through all steps, %s offsets behind", last.lag, extra=how)
        self._recorded = time.monotonic()

    def _enter_quarantined(self, validated: ValidatedBatch) -> None:
        """Enter in the ledger what a quarantined micro-batch landed.

        Left out by a crash, it is counted from raw.
        """
        (batch_id,) = validated.batch_ids
        self._stores.ledger.record(
            "raw",
            [
                Entry(batch_id, day, self._offsets.topic, records=counts.landed)
                for day, counts in sorted(validated.counts().items())
            ],
        )

    def _enter_in_ledger(self, batch_id: str) -> None:
        """Enter the drain as one batch. If a crash prevents this, it is counted from raw later."""
        for step in ("raw", "cleaned"):
            self._stores.ledger.record(
                step,
                [
                    Entry(
                        batch_id,
                        day,
                        self._offsets.topic,
                        records=sum(c.landed if step == "raw" else c.accepted for c in counts),
                        duplicates=0 if step == "raw" else sum(c.duplicates for c in counts),
                        rejected=0 if step == "raw" else sum(c.rejected for c in counts),
                    )
                    for day, counts in sorted(self._days.items())
                ],
            )


def _taken(batch: _Committed) -> Taken:
    delay = (datetime.now(UTC) - batch.oldest).total_seconds() if batch.oldest else 0.0
    return Taken(
        days=batch.days,
        next_offsets=batch.next_offsets,
        lag=batch.lag,
        newest_event=pc.max(batch.cleaned["event_time"]).as_py(),
        delay_seconds=delay,
        seconds=batch.seconds,
        cut=batch.cut,
    )
