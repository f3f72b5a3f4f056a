"""Drains a stream's topic: offset range after offset range through every hop, until it is quiet.

Here belongs the order: read, judge, commit to the lake, insert into the warehouse, report, each
running ahead of the next. What a hop does with a micro-batch is `micro_batch`'s; when the topic is
read and how far, `topic_source`'s. Killed at any moment, the next drain takes on what is owed and
then reads from the offsets that the lake holds.
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
from social_assets.lake.schemas import RAW
from social_assets.pipeline.micro_batch import (
    DayCounts,
    Judge,
    Judged,
    apart,
    land,
    load,
    quarantine,
    settle,
)
from social_assets.pipeline.prefetch import ahead
from social_assets.pipeline.step_log import HopLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import settle as settle_all
from social_assets.pipeline.topic_offsets import TopicOffsets, held_offsets, landed, starts
from social_assets.pipeline.topic_source import LIMITS, Arrived, Broker, Limits, TopicSource
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader, micro_batch_loader

GROUP = "social-assets"
"""The consumer group that shows operators' tools how far the lake is."""

RECORD_SECONDS = 5.0
"""How often loader and group are told how far all is; what a crash left out is done again, to no
effect."""


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
class _Judged:
    """A micro-batch on its way into the lake, and what each hop took."""

    arrived: Arrived
    judged: Judged
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Committed:
    """A micro-batch on its way into the warehouse: without its raw records, most of its bytes."""

    batch_id: str
    is_quarantined: bool
    ingested_at: datetime
    next_offsets: Mapping[int, int]
    lag: int
    days: Mapping[date, DayCounts]
    oldest: datetime | None
    cleaned: pa.Table
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
        _seldom_collected(),
        stores.engine.session() as session,
        micro_batch_loader(stores.loader) as loader,
    ):
        # Files too: what landed first must be judged first.
        owed = settle_all(stores)
        offsets = broker.offsets(stores.contract.kafka_topic, limits.away_seconds)
        if offsets is None:
            return owed
        begin = starts(stores.raw, offsets)
        if begin.missing:
            stores.gaps.record(begin.missing)
            # Without a record too: the gap is dealt with, and nobody asks for this drain again.
            held = held_offsets(stores.raw, offsets)
            stores.raw.append(RAW.empty_table(), *landed(offsets, begin.offsets, held))
        with TopicReader(
            broker.client_settings(),
            offsets.topic,
            begin.offsets,
            topic_id=offsets.topic_id,
            ask_topic_id=partial(broker.topic_id, offsets.topic),
            patience_seconds=limits.away_seconds,
        ) as reader:
            source = TopicSource(
                stores, broker, reader, offsets=offsets, begin=begin.offsets, limits=limits
            )
            course = _Course(stores, broker, Judge(stores, session), loader, offsets)
            course.run(source, report)
    return owed


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Look for garbage cycles seldom: a hundred thousand messages at once are none, and looking
    through them took a third of the reading's CPU seconds.
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
    """The way of the micro-batches through the hops."""

    def __init__(
        self,
        stores: StreamStores,
        broker: Broker,
        judge: Judge,
        loader: MicroBatchLoader,
        offsets: TopicOffsets,
    ) -> None:
        self._held = held_offsets(stores.raw, offsets)
        self._stores = stores
        self._broker = broker
        self._judge = judge
        self._loader = loader
        self._offsets = offsets
        self._days: defaultdict[date, list[DayCounts]] = defaultdict(list)
        self._recorded = time.monotonic()
        self._log = HopLog(stores)

    def run(self, source: TopicSource, report: Callable[[Taken], None]) -> None:
        """Each hop works on one micro-batch while the next hop works on the one before."""
        last: _Committed | None = None
        over = Event()
        with (
            ahead(source.micro_batches(over), over) as arrived,
            ahead(self._judged(arrived), over) as judged,
            ahead(self._committed(judged), over) as committed,
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
        if last is not None:
            self._record(last)
            self._enter_in_ledger(last.batch_id)
            stores = self._stores
            compact_briefly([stores.raw, stores.cleaned, stores.quarantine], self._days.keys())

    def _judged(self, batches: Iterator[Arrived]) -> Iterator[_Judged]:
        for arrived in batches:
            started = time.monotonic()
            judged = self._judge.judge(arrived.raw, arrived.ingested_at)
            if judged.error is not None:
                judged = apart(judged)
            seconds = {"read": arrived.seconds, "judge": time.monotonic() - started}
            yield _Judged(arrived, judged, seconds)

    def _committed(self, batches: Iterator[_Judged]) -> Iterator[_Committed]:
        for batch in batches:
            started = time.monotonic()
            judged, arrived = batch.judged, batch.arrived
            if judged.error is not None:
                quarantine(self._stores, judged)
            land(self._stores, judged, landed(self._offsets, arrived.next_offsets, self._held))
            self._held |= arrived.next_offsets
            if judged.error is not None:
                self._enter_quarantined(judged)
            settle(self._stores, judged)
            self._judge.settled(judged)
            batch.seconds["commit"] = time.monotonic() - started
            yield _Committed(
                arrived.batch_id,
                judged.error is not None,
                judged.ingested_at,
                arrived.next_offsets,
                arrived.lag,
                judged.counts(),
                pc.min(judged.raw["timestamp"]).as_py(),
                judged.cleaned,
                batch.seconds,
            )

    def _record(self, last: _Committed) -> None:
        """Tell how far all is that came up to the last micro-batch."""
        self._loader.mark_loaded(last.ingested_at)
        try:
            self._broker.commit(GROUP, self._offsets.topic, last.next_offsets)
        except (ConnectionError, RuntimeError) as error:
            # For operators' tools alone; the lake's offsets are what counts.
            told = "offsets of group %s on %s not told: %s"
            self._log.warning(told, GROUP, self._offsets.topic, error)
        taken = sum(day.landed for counts in self._days.values() for day in counts)
        how = {"hop": "drain", "batch_id": last.batch_id, "records": taken}
        self._log.info("through all hops, %s offsets behind", last.lag, extra=how)
        self._recorded = time.monotonic()

    def _enter_quarantined(self, judged: Judged) -> None:
        """Enter in the ledger what a quarantined micro-batch landed.

        Left out by a crash, it is counted from raw.
        """
        (batch_id,) = judged.batch_ids
        self._stores.ledger.record(
            "raw",
            [
                Entry(batch_id, day, self._offsets.topic, records=counts.landed)
                for day, counts in sorted(judged.counts().items())
            ],
        )

    def _enter_in_ledger(self, batch_id: str) -> None:
        """What the drain brought, as one batch. Left out by a crash, it is counted from raw."""
        for hop in ("raw", "cleaned"):
            self._stores.ledger.record(
                hop,
                [
                    Entry(
                        batch_id,
                        day,
                        self._offsets.topic,
                        records=sum(c.landed if hop == "raw" else c.accepted for c in counts),
                        duplicates=0 if hop == "raw" else sum(c.duplicates for c in counts),
                        rejected=0 if hop == "raw" else sum(c.rejected for c in counts),
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
    )
