"""Reads a stream's topic as micro-batches: exact ranges, starting at the lake's offsets.

Belongs here: when to read, how much, and when to stop. What happens to a micro-batch belongs to
`drain`; how records are fetched belongs to the reader.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Protocol

import pyarrow as pa

from social_assets.ingest.kafka.reader import Gap, Read, TopicReader
from social_assets.lake.gaps import MissingRange
from social_assets.lake.ledger import BATCH_PREFIX
from social_assets.pipeline.files.land import arrival
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.cut_records import CutCounts, cut_records, next_offsets
from social_assets.pipeline.topics.raw_rows import raw_rows
from social_assets.pipeline.topics.topic_offsets import REASONS, BrokerOffsets


class Broker(Protocol):
    """The cluster that has the topic; `resources.kafka.resource` is one."""

    def offsets(self, topic: str, timeout_seconds: float = 5.0) -> BrokerOffsets | None:
        """The topic's offsets; None if there is no such topic. Raises ConnectionError without an
        answer.
        """
        ...

    def topic_id(self, topic: str, timeout_seconds: float = 5.0) -> str | None:
        """The topic's id, which changes if it is created again; None if there is no such topic."""
        ...

    def client_settings(self) -> Mapping[str, str]:
        """The settings of librdkafka."""
        ...

    def commit(
        self, group: str, topic: str, offsets: Mapping[int, int], timeout_seconds: float = 30.0
    ) -> None:
        """Commit a consumer group's offsets."""
        ...


@dataclass(frozen=True)
class Limits:
    """When a drain ends, and how large its micro-batches are.

    It ends after `seconds`, or if nothing has come for `quiet_seconds`. A micro-batch has at most
    `max_records` and about `max_bytes`; with few records, one begins every `pace_seconds`.
    """

    seconds: float = 600.0
    quiet_seconds: float = 30.0
    max_records: int = 160_000
    max_bytes: int = 128 << 20
    pace_seconds: float = 0.4
    away_seconds: float = 120.0


LIMITS = Limits()


@dataclass(frozen=True)
class Arrived:
    """A micro-batch as it was read: rows of raw, with null event dates.

    Everything before `next_offsets` has been read; `lag` is how many offsets the broker was ahead
    of them; `seconds` is the time of reading.
    """

    batch_id: str
    raw: pa.Table
    ingested_at: datetime
    next_offsets: Mapping[int, int]
    lag: int
    seconds: float
    cut: CutCounts | None = None
    """Of a contract with `explode`: the records of Kafka that the rows were cut out of."""


class TopicSource:
    """Reads the micro-batches of a topic."""

    def __init__(
        self,
        stores: StreamStores,
        broker: Broker,
        reader: TopicReader,
        *,
        offsets: BrokerOffsets,
        begin: Mapping[int, int],
        limits: Limits,
    ) -> None:
        """Create a source. `reader` is at the offsets `begin`; `offsets` identifies the topic."""
        self._stores = stores
        self._positions = dict(begin)
        self._broker = broker
        self._reader = reader
        self._topic = offsets.topic
        self._topic_id = offsets.topic_id
        self._limits = limits
        self._arrival = arrival(stores)
        self._batch_id = f"{BATCH_PREFIX}{self._topic}/{self._arrival:%Y-%m-%dT%H:%M:%S.%f}"

    def micro_batches(self, over: Event) -> Iterator[Arrived]:
        """Yield micro-batches until the time is up, nothing comes, the lock is wanted, or `over` is
        set.
        """
        ends_at = time.monotonic() + self._limits.seconds
        last_read = time.monotonic()
        while (now := time.monotonic()) < ends_at and not self._is_over(over):
            offsets = self._offsets(now, over)
            # While the broker is unreachable, the topic does not count as quiet.
            last_read += time.monotonic() - now
            if offsets is None or offsets.topic_id != self._topic_id:
                # Deleted or recreated: the next drain begins with the new topic.
                return
            ends = self._unread(offsets)
            if ends:
                started = time.monotonic()
                read = self._read(ends)
                if read is None:
                    return
                lag = 0
                for arrived in self._arrived(read, ends, started):
                    yield arrived
                    lag = arrived.lag
                last_read = time.monotonic()
                if lag:
                    continue
            elif now - last_read > self._limits.quiet_seconds:
                return
            over.wait(max(0.0, now + self._limits.pace_seconds - time.monotonic()))

    def _is_over(self, over: Event) -> bool:
        return over.is_set() or self._stores.is_wanted()

    def _offsets(self, since: float, over: Event) -> BrokerOffsets | None:
        """Wait for an unreachable broker; None if the topic is gone, or `over` is set meanwhile."""
        while not self._is_over(over):
            try:
                return self._broker.offsets(self._topic)
            except ConnectionError:
                if time.monotonic() - since > self._limits.away_seconds:
                    raise
                over.wait(self._limits.pace_seconds)
        return None

    def _unread(self, offsets: BrokerOffsets) -> dict[int, int]:
        """The ends of partitions with unread records; new partitions are read from their begin."""
        for partition in offsets.end.keys() - self._positions.keys():
            self._positions[partition] = offsets.earliest[partition]
            self._reader.add(partition, self._positions[partition])
        return {p: end for p, end in offsets.end.items() if end > self._positions[p]}

    def _read(self, ends: Mapping[int, int]) -> Read | None:
        """The next records; None if these offsets no longer belong to the topic."""
        limits = self._limits
        # With a backlog, fill the micro-batch: many small ones would cost more in every step.
        unread = sum(end - self._positions[p] for p, end in ends.items())
        is_backlog = unread > limits.max_records // 4
        linger = limits.away_seconds if is_backlog else limits.pace_seconds
        read = self._reader.read(ends, limits.max_records, limits.max_bytes, linger)
        self._positions |= read.next_offsets
        self._stores.gaps.record(map(self._missing, read.gaps))
        if any(gap.reason == "recreated" for gap in read.gaps):
            return None
        return read

    def _arrived(self, read: Read, ends: Mapping[int, int], started: float) -> Iterator[Arrived]:
        """The micro-batches of what was read: one, or several if its arrays have many elements."""
        for rows, offsets, cut in self._parts(read):
            self._arrival = max(datetime.now(UTC), self._arrival + timedelta(microseconds=1))
            lag = sum(max(0, end - offsets[p]) for p, end in ends.items())
            raw = raw_rows(self._stores, rows, self._batch_id, self._arrival)
            seconds = time.monotonic() - started
            yield Arrived(self._batch_id, raw, self._arrival, offsets, lag, seconds, cut)
            started = time.monotonic()

    def _parts(self, read: Read) -> Iterator[tuple[pa.Table, Mapping[int, int], CutCounts | None]]:
        contract, limits, records = self._stores.contract, self._limits, read.records
        if contract.explode is None or not records.num_rows:
            yield pa.Table.from_batches([records]), read.next_offsets, None
            return
        for part in cut_records(records, contract, limits.max_records, limits.max_bytes):
            yield part.rows, next_offsets(records, part.stop, read.next_offsets), part.counts

    def _missing(self, gap: Gap) -> MissingRange:
        end = gap.end if gap.end > gap.start else None
        reason = REASONS[gap.reason]
        return MissingRange(gap.topic, self._topic_id, gap.partition, gap.start, end, reason)
