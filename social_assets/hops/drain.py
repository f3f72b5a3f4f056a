"""Drains a stream's topic: offset range after offset range through every hop, until it is quiet.

Here belongs the order: read, judge, commit to the lake, insert into the warehouse, report, each
running ahead of the next. What a hop does with a micro-batch is `micro_batch`'s; when the topic is
read and how far, `topic_source`'s. Killed at any moment, the next drain takes on what is owed and
then reads from the offsets that the lake holds.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow.compute as pc

from social_assets.hops.ahead import ahead
from social_assets.hops.micro_batch import (
    DayCounts,
    Judge,
    Judged,
    land,
    load,
    settle,
    settle_owed,
)
from social_assets.hops.stores import StreamStores
from social_assets.hops.topic_offsets import TopicOffsets, app_id, starts, topic_app_id
from social_assets.hops.topic_source import LIMITS, Arrived, Broker, Limits, TopicSource
from social_assets.lake.ledger import Entry
from social_assets.sources.kafka import TopicReader
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader, micro_batch_loader

GROUP = "social-assets"
"""The consumer group that shows operators' tools how far the lake is."""

RECORD_SECONDS = 5.0
"""How often loader and group are told how far all is; what a crash left out is done again, to no
effect."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """What one micro-batch brought, once it was visible behind the last hop.

    `lag` is how many offsets the broker was ahead when it was read; `delay_seconds` runs from the
    oldest record's timestamp to its visibility; `seconds` is what each hop took.
    """

    days: Mapping[date, DayCounts]
    next_offsets: Mapping[int, int]
    lag: int
    newest_event: datetime | None
    delay_seconds: float
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class _MicroBatch:
    """A micro-batch on its way, and what each hop took."""

    arrived: Arrived
    judged: Judged
    seconds: dict[str, float]


def drain(
    stores: StreamStores,
    broker: Broker,
    report: Callable[[Taken], None],
    limits: Limits = LIMITS,
) -> set[date]:
    """Take what the topic has through all hops; returns the dates that changed before the first
    report, by what an earlier drain owed.

    Holds the stream's lock, and ends early when somebody waits for it. Calls `report` for each
    micro-batch. Raises what a broker that stays away, the lake or the warehouse raise.
    """
    with (
        stores.lock(),
        stores.engine.session() as session,
        micro_batch_loader(stores.loader) as loader,
    ):
        owed = settle_owed(stores, session, loader)
        offsets = broker.offsets(stores.contract.kafka_topic)
        if offsets is None:
            return owed
        begin = starts(stores.raw, offsets)
        stores.gaps.record(begin.missing)
        with TopicReader(broker.client_settings(), offsets.topic, begin.offsets) as reader:
            source = TopicSource(
                stores, broker, reader, offsets=offsets, begin=begin.offsets, limits=limits
            )
            course = _Course(stores, broker, Judge(stores, session), loader, offsets)
            course.run(source.micro_batches(), report)
    return owed


class _Course:
    """The way of the micro-batches through the hops."""

    def __init__(
        self,
        stores: StreamStores,
        broker: Broker,
        judge: Judge,
        loader: MicroBatchLoader,
        offsets: TopicOffsets,
    ) -> None:
        self._stores = stores
        self._broker = broker
        self._judge = judge
        self._loader = loader
        self._topic = offsets.topic
        self._topic_id = offsets.topic_id
        self._days: defaultdict[date, list[DayCounts]] = defaultdict(list)
        self._recorded = time.monotonic()

    def run(self, batches: Iterator[Arrived], report: Callable[[Taken], None]) -> None:
        """Each hop works on one micro-batch while the next hop works on the one before."""
        last: _MicroBatch | None = None
        with (
            ahead(batches) as arrived,
            ahead(self._judged(arrived)) as judged,
            ahead(self._committed(judged)) as committed,
        ):
            for batch in committed:
                started = time.monotonic()
                load(self._stores, self._loader, batch.judged)
                batch.seconds["load"] = time.monotonic() - started
                last = batch
                taken = _taken(batch)
                for day, counts in taken.days.items():
                    self._days[day].append(counts)
                report(taken)
                if time.monotonic() - self._recorded > RECORD_SECONDS:
                    self._record(batch)
        if last is not None:
            self._record(last)
            self._enter_in_ledger(last.arrived.batch_id)

    def _judged(self, batches: Iterator[Arrived]) -> Iterator[_MicroBatch]:
        for arrived in batches:
            started = time.monotonic()
            judged = self._judge.judge(arrived.raw, arrived.ingested_at)
            seconds = {"read": arrived.seconds, "judge": time.monotonic() - started}
            yield _MicroBatch(arrived, judged, seconds)

    def _committed(self, batches: Iterator[_MicroBatch]) -> Iterator[_MicroBatch]:
        for batch in batches:
            started = time.monotonic()
            judged = batch.judged
            land(self._stores, judged, self._applied(batch.arrived))
            settle(self._stores, judged)
            batch.seconds["commit"] = time.monotonic() - started
            yield batch

    def _applied(self, arrived: Arrived) -> dict[str, int]:
        """The offsets that go into raw with the records, by application id."""
        offsets = {
            app_id(self._topic, self._topic_id, partition): offset
            for partition, offset in arrived.next_offsets.items()
        }
        return {**offsets, topic_app_id(self._topic): 1}

    def _record(self, last: _MicroBatch) -> None:
        """Tell how far all is that came up to the last micro-batch."""
        self._loader.mark_loaded(last.judged.ingested_at)
        try:
            self._broker.commit(GROUP, self._topic, last.arrived.next_offsets)
        except (ConnectionError, RuntimeError) as error:
            # For operators' tools alone; the lake's offsets are what counts.
            log.warning("offsets of group %s on %s not told: %s", GROUP, self._topic, error)
        self._recorded = time.monotonic()

    def _enter_in_ledger(self, batch_id: str) -> None:
        """What the drain brought, as one batch. Left out by a crash, it is counted from raw."""
        for hop in ("raw", "cleaned"):
            self._stores.ledger.record(
                hop,
                [
                    Entry(
                        batch_id,
                        day,
                        self._topic,
                        records=sum(c.landed if hop == "raw" else c.accepted for c in counts),
                        duplicates=0 if hop == "raw" else sum(c.duplicates for c in counts),
                        rejected=0 if hop == "raw" else sum(c.rejected for c in counts),
                    )
                    for day, counts in sorted(self._days.items())
                ],
            )


def _taken(batch: _MicroBatch) -> Taken:
    rows = batch.judged.raw
    oldest = pc.min(rows["timestamp"]).as_py()
    delay = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
    newest = pc.max(batch.judged.cleaned["event_time"]).as_py()
    return Taken(
        days=batch.judged.counts(),
        next_offsets=batch.arrived.next_offsets,
        lag=batch.arrived.lag,
        newest_event=newest,
        delay_seconds=delay,
        seconds=batch.seconds,
    )
