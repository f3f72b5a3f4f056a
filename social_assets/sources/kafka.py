"""Reads exact ranges of a topic into Arrow: from given offsets, committed records only.

Belongs here: what a range's reading promises. Bytes are never looked into. Where to start, and
what to do about a gap, is the caller's business.
"""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from resources.kafka_admin import KafkaUnreachableError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message

KAFKA_RECORDS = pa.schema(
    [
        pa.field("value", pa.binary()),
        pa.field("key", pa.binary()),
        pa.field("headers", pa.map_(pa.string(), pa.binary())),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.timestamp("us", tz="UTC")),
    ]
)
"""One record: null value: a tombstone; null headers: none; a header's key may come repeatedly;
null timestamp: the record has none, or one outside of the years 1970 to 9999."""

LARGEST_READ_BYTES = 1 << 30
_AT_ONCE = 10_000
_SLICE_SECONDS = 0.05
_LAST_MILLISECOND = 253_402_300_799_999

log = logging.getLogger(__name__)


class KafkaReadError(RuntimeError):
    """The brokers answer, and won't give the records; the text names topic, partition, reason."""


@dataclass(frozen=True)
class Gap:
    """Offsets `[start, end)` of a partition that were asked for and can't be had any more.

    Reading goes on at `end`. Where the topic was made again, `end` may lie before `start`.
    """

    topic: str
    partition: int
    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class Read:
    """What one reading took.

    `records`: KAFKA_RECORDS, ordered by partition and offset. `next_offsets`: of each partition,
    everything before has been read or is named in `gaps`; no record is at or beyond it. It jumps
    over what is no committed record: transaction markers, aborted records, compacted ones.
    """

    records: pa.RecordBatch
    next_offsets: Mapping[int, int]
    gaps: tuple[Gap, ...]


class TopicReader:
    """One consumer of one topic, assigned to partitions at offsets. Never joins a group."""

    def __init__(
        self,
        settings: Mapping[str, str],
        topic: str,
        starts: Mapping[int, int],
        *,
        patience_seconds: float = 60.0,
        buffer_bytes: int = 64 << 20,
    ) -> None:
        """`settings`: librdkafka's, of the cluster. `starts`: partition -> first offset to read.

        `patience_seconds`: how long brokers may be away. `buffer_bytes`: what is fetched ahead,
        all partitions together.
        """
        # Imported here: librdkafka is nothing that loading the definitions needs.
        from confluent_kafka import Consumer

        self._topic = topic
        self._servers = settings["bootstrap.servers"]
        self._patience = patience_seconds
        self._buffer_bytes = buffer_bytes
        self._trouble = ""
        self._positions: dict[int, int] = {}
        self._reached: dict[int, int] = {}
        self._held: list[Message] = []
        self._consumer: Consumer = Consumer(
            {
                **settings,
                **_reading(buffer_bytes, len(starts)),
                "error_cb": self._note,
            },
            logger=log,
        )
        for partition, offset in starts.items():
            self.add(partition, offset)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the brokers."""
        self._consumer.close()

    @property
    def positions(self) -> Mapping[int, int]:
        """Of each partition, the offset before which everything has been read."""
        return dict(self._positions)

    def add(self, partition: int, offset: int) -> None:
        """Read another partition as well, from this offset on."""
        from confluent_kafka import TopicPartition

        self._positions[partition] = offset
        self._consumer.incremental_assign([TopicPartition(self._topic, partition, offset)])

    def read(
        self, ends: Mapping[int, int], max_records: int, max_bytes: int, linger_seconds: float
    ) -> Read:
        """Records from where the last reading ended up to `ends` (partition -> offset, excluded).

        Ends with `max_records`; with the first records that make it `max_bytes` or more; with all
        partitions at their ends; or `linger_seconds` after the first record. While an open
        transaction holds back every partition, and nothing can be read, also after
        `linger_seconds`. Raises KafkaUnreachableError if nothing at all came for the reader's
        patience, and KafkaReadError if the brokers refuse.
        """
        reading = _Reading(dict(ends), min(max_bytes, LARGEST_READ_BYTES))
        started = time.monotonic()
        first: float | None = None
        arrived, self._held = self._held[:max_records], self._held[max_records:]
        while True:
            self._take(arrived, reading)
            now = time.monotonic()
            first = now if first is None and reading.messages else first
            remaining = min(self._remaining(reading.ends), max_records - len(reading.messages))
            if remaining <= 0 or reading.bytes >= reading.max_bytes or reading.gaps:
                break
            if now - (first or started) >= linger_seconds and (first or self._is_held(reading)):
                break
            if first is None and now - started > self._patience:
                raise KafkaUnreachableError(
                    self._servers,
                    f"reading topic {self._topic} at {self._positions}",
                    self._patience,
                    self._trouble,
                )
            arrived = self._consumer.consume(min(remaining, _AT_ONCE), _SLICE_SECONDS)
        return Read(_arrow(reading.messages), dict(self._positions), tuple(reading.gaps))

    def _take(self, arrived: list[Any], reading: _Reading) -> None:
        records: list[Any] = []
        for message in arrived:
            error = message.error()
            if error is not None:
                self._heed(message, error)
                continue
            partition, offset = message.partition(), message.offset()
            end = reading.ends.get(partition, 0)
            if offset >= end:
                self._held.append(message)
                self._positions[partition] = max(self._positions[partition], end)
            else:
                records.append(message)
                self._positions[partition] = offset + 1
        reading.add(records)

    def _heed(self, message: Any, error: KafkaError) -> None:
        from confluent_kafka import KafkaError

        partition, offset = message.partition(), message.offset()
        if error.code() == KafkaError._PARTITION_EOF:
            self._reached[partition] = offset
            self._positions[partition] = max(self._positions[partition], offset)
        elif error.retriable():
            self._trouble = error.str()
        else:
            raise KafkaReadError(
                f"topic {self._topic}, partition {partition}, offset {offset}: {error.str()}"
            )

    def _remaining(self, ends: Mapping[int, int]) -> int:
        return sum(max(0, end - self._positions[p]) for p, end in ends.items())

    def _is_held(self, reading: _Reading) -> bool:
        return all(
            self._reached.get(p) == self._positions[p]
            for p, end in reading.ends.items()
            if self._positions[p] < end
        )

    def _note(self, error: KafkaError) -> None:
        self._trouble = error.str()


class _Reading:
    def __init__(self, ends: dict[int, int], max_bytes: int) -> None:
        self.ends = ends
        self.max_bytes = max_bytes
        self.messages: list[Message] = []
        self.gaps: list[Gap] = []
        self.bytes = 0

    def add(self, records: list[Message]) -> None:
        self.messages += records
        self.bytes += sum(map(len, records))


def _reading(buffer_bytes: int, partitions: int) -> dict[str, str | int | bool]:
    return {
        "group.id": "social-assets-reader",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "allow.auto.create.topics": False,
        "queued.max.messages.kbytes": max(1024, buffer_bytes // 1024 // max(1, partitions)),
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "fetch.error.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.propagation.max.ms": 2000,
    }


def _arrow(messages: Sequence[Message]) -> pa.RecordBatch:
    from confluent_kafka import Message

    partitions = np.fromiter(map(Message.partition, messages), np.int32, len(messages))
    order = np.argsort(partitions, kind="stable")
    ordered: list[Any] = [messages[i] for i in order]
    stamps = map(operator.itemgetter(1), map(Message.timestamp, ordered))
    milliseconds = np.fromiter(stamps, np.int64, len(ordered))
    unusable = (milliseconds < 0) | (milliseconds > _LAST_MILLISECOND)
    return pa.record_batch(
        [
            pa.array(list(map(Message.value, ordered)), pa.binary()),
            pa.array(list(map(Message.key, ordered)), pa.binary()),
            pa.array(list(map(Message.headers, ordered)), KAFKA_RECORDS.field("headers").type),
            pa.array(partitions[order]),
            pa.array(np.fromiter(map(Message.offset, ordered), np.int64, len(ordered))),
            pa.array(
                np.where(unusable, 0, milliseconds) * 1000,
                KAFKA_RECORDS.field("timestamp").type,
                mask=unusable,
            ),
        ],
        schema=KAFKA_RECORDS,
    )
