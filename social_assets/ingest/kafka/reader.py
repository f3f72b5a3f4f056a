"""Reads offset ranges of a topic into Arrow: complete ranges, committed records only.

Belongs here: what reading a range guarantees. The reader never parses the records' bytes. The
caller decides where to start and how to handle a gap.

Not used: librdkafka's C interface through ctypes. librdkafka itself takes 0.66 of the 1.41 CPU
seconds for a million records, so at most half could be saved.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from resources.kafka.admin import KafkaUnreachableError
from social_assets.ingest.kafka.consumer_health import Silence, Trouble
from social_assets.ingest.kafka.positions import Positions
from social_assets.ingest.kafka.records import KAFKA_RECORDS, RecordsBuilder

if TYPE_CHECKING:
    from confluent_kafka import Message, TopicPartition

__all__ = ["KAFKA_RECORDS", "Gap", "GapReason", "KafkaReadError", "Read", "TopicReader"]

LARGEST_READ_BYTES = 1 << 30
"""The largest read: an Arrow column of bytes holds less than 2 GiB, and the last messages may be
large."""

# Below 700, Python's garbage collector does not run in between, which would take half of the CPU
# time.
_MESSAGES_AT_ONCE = 500
_SLICE_SECONDS = 0.05
_SURELY_GONE_SECONDS = 1.0

GapReason = Literal["retention", "recreated", "truncated", "deleted"]
"""`retention`: the brokers deleted the records. `recreated`: the topic was deleted and created
again, and the offsets belong to the former one. `truncated`: the topic ends before the position,
for example after a lagging replica became leader. `deleted`: the topic or partition does not
exist."""

log = logging.getLogger(__name__)


class KafkaReadError(RuntimeError):
    """The brokers answer but refuse the records; the text names topic, partition and reason."""


@dataclass(frozen=True)
class Gap:
    """Offsets `[start, end)` of a partition that were requested and no longer exist.

    Reading continues at `end`, which is before `start` if the topic was recreated or truncated.
    After `recreated`, create a new reader for the new topic.
    """

    topic: str
    partition: int
    start: int
    end: int
    reason: GapReason


@dataclass(frozen=True)
class Read:
    """The result of one call of `read`.

    `records`: KAFKA_RECORDS, ordered by partition and offset. `next_offsets`: for each partition,
    all before this offset has been read or is listed in `gaps`, and no record is at or after it. It
    skips offsets without a committed record: transaction markers, aborted records, compacted ones.
    """

    records: pa.RecordBatch
    next_offsets: Mapping[int, int]
    gaps: tuple[Gap, ...]


class TopicReader:
    """One consumer of one topic, assigned to partitions at offsets. It never joins a group.

    After an exception it cannot be used any more: create another one from the landed offsets.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        topic: str,
        starts: Mapping[int, int],
        *,
        topic_id: str = "",
        ask_topic_id: Callable[[], str | None] | None = None,
        patience_seconds: float = 60.0,
        buffer_bytes: int = 64 << 20,
    ) -> None:
        """Create a reader.

        `settings`: librdkafka's settings for the cluster. `starts`: partition -> first offset to
        read.

        `topic_id`: the id of the topic that the starts belong to. If a topic is deleted and created
        again, librdkafka continues at the same offsets without an error. So `ask_topic_id` (such as
        `KafkaResource.topic_id`) is called after records have arrived and before they are returned.

        `patience_seconds`: how long brokers may be unreachable. `buffer_bytes`: how much is fetched
        in advance, for all partitions together.
        """
        # Imported here: loading the definitions does not need librdkafka.
        from confluent_kafka import Consumer

        self._topic = topic
        self._servers = settings["bootstrap.servers"]
        self._id = topic_id
        self._ask_id = ask_topic_id
        self._patience = patience_seconds
        self._buffer_bytes = buffer_bytes
        self._positions = Positions()
        self._trouble = Trouble()
        self._silence = Silence()
        self._builder = RecordsBuilder()
        self._mean_bytes = 1
        self._settings: dict[str, Any] = {
            **settings,
            **_reading(buffer_bytes, len(starts)),
            "error_cb": self._trouble.note,
        }
        self._consumer = Consumer(self._settings, logger=log)
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
        """Close the consumer."""
        self._consumer.close()

    def add(self, partition: int, offset: int) -> None:
        """Also read this partition, from this offset on."""
        self._positions.jump(partition, offset)
        self._consumer.incremental_assign([self._at(partition, offset)])

    def read(
        self, ends: Mapping[int, int], max_records: int, max_bytes: int, linger_seconds: float
    ) -> Read:
        """Read records from the last position to `ends` (partition -> offset, excluded).

        Returns after `max_records`; after the first messages that reach `max_bytes`; when all
        partitions are at their ends; at a gap; or `linger_seconds` after the first record. If open
        transactions block every partition, it returns `linger_seconds` after the call. A partition
        that reaches its end before the others is read further, as are partitions without an end:
        records that have arrived are always returned.

        Raises KafkaUnreachableError if nothing arrived for the reader's patience, KafkaReadError if
        the brokers refuse, and ValueError for an end of a partition that is not read.
        """
        if strange := ends.keys() - self._positions.offsets().keys():
            raise ValueError(
                f"partitions {sorted(strange)} of {self._topic} are not read: add them"
            )
        self._builder.clear()
        most_bytes = min(max_bytes, LARGEST_READ_BYTES)
        asked = _Asked(ends, max_records, most_bytes, linger_seconds, self._builder)
        while (wanted := asked.wanted(self._positions)) > 0:
            if asked.gaps or self._is_time(asked):
                break
            affordable = (asked.max_bytes - asked.builder.bytes) // self._mean_bytes
            count = max(1, min(wanted, affordable, _MESSAGES_AT_ONCE))
            arrived = self._consumer.consume(count, _SLICE_SECONDS)
            self._take(arrived, asked)
            if self._silence.is_too_long(arrived, _SLICE_SECONDS):
                self._replace_consumer()
            self._look_for_topic(asked)
        if asked.builder.count and self._is_recreated():
            self._tell_recreated(asked)
        return Read(asked.builder.build(), self._positions.offsets(), tuple(asked.gaps))

    def _replace_consumer(self) -> None:
        """Continue with a new consumer at the same positions.

        After a broker's restart, librdkafka sometimes never fetches an assigned partition again,
        without an error (librdkafka issue 5153). A new consumer continues.
        """
        from confluent_kafka import Consumer

        log.warning(
            "topic %s: no record came for %.0f s although there are some: a new consumer reads on",
            self._topic,
            self._silence.limit_seconds,
        )
        self._silence.begin_again()
        self._consumer.close()
        self._consumer = Consumer(self._settings, logger=log)
        places = self._positions.offsets().items()
        self._consumer.incremental_assign([self._at(*place) for place in places])

    def _is_time(self, asked: _Asked) -> bool:
        """Whether to return the records so far; raises if nothing has come for too long."""
        waited = time.monotonic() - asked.since
        if asked.builder.count or self._positions.are_at_last(asked.ends):
            return waited >= asked.linger_seconds
        if waited > self._patience:
            raise self._unreachable()
        return False

    def _take(self, arrived: list[Message], asked: _Asked) -> None:
        from confluent_kafka import Message

        records, events = arrived, []
        if any(map(Message.error, arrived)):
            records = [message for message in arrived if message.error() is None]
            events = [message for message in arrived if message.error() is not None]
        if records:
            partitions = np.array(list(map(Message.partition, records)), np.int32)
            offsets = np.array(list(map(Message.offset, records)), np.int64)
            self._advance(partitions, offsets)
            asked.add(records, partitions, offsets)
            self._mean_bytes = max(1, asked.builder.bytes // asked.builder.count)
        # After the records: an event refers to offsets behind them.
        for event in events:
            if not asked.is_recreated():
                self._heed(event, event.error(), asked)

    def _advance(self, partitions: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> None:
        try:
            self._positions.advance(partitions, offsets)
        except ValueError as error:
            raise KafkaReadError(
                f"topic {self._topic}: {error}; read on with a new reader"
            ) from error

    def _heed(self, message: Any, error: Any, asked: _Asked) -> None:
        """Handle an event that librdkafka puts between the records."""
        from confluent_kafka import KafkaError

        partition, offset = message.partition(), message.offset()
        if error.code() == KafkaError._PARTITION_EOF:
            self._positions.reach_last(partition, offset)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self._look_out_of_range(partition, asked)
        elif error.retriable():
            self._trouble.note(error)
        else:
            raise KafkaReadError(
                f"topic {self._topic}, partition {partition}, offset {offset}: {error.str()}"
            )

    def _look_out_of_range(self, partition: int, asked: _Asked) -> None:
        position = self._positions[partition]
        first, end = self._range_held(partition)
        if position > end and (not self._id or not self._ask_id or self._is_recreated()):
            self._tell_recreated(asked)
            return
        if position < first:
            asked.gaps.append(Gap(self._topic, partition, position, first, "retention"))
        elif position > end:
            asked.gaps.append(Gap(self._topic, partition, position, end, "truncated"))
        resumed = min(max(position, first), end)
        self._positions.jump(partition, resumed)
        self._consumer.incremental_unassign([self._at(partition)])
        self._consumer.incremental_assign([self._at(partition, resumed)])

    def _is_recreated(self) -> bool:
        """Whether the topic was recreated. A deleted topic was not: its records were its own."""
        present = self._ask_id() if self._id and self._ask_id else None
        return present is not None and present != self._id

    def _tell_recreated(self, asked: _Asked) -> None:
        """Return only gaps: the records that arrived may belong to the new topic."""
        taken = asked.builder.first_offsets()
        asked.builder.clear()
        asked.gaps.clear()
        for partition, position in self._positions.offsets().items():
            start = taken.get(partition, position)
            asked.gaps.append(Gap(self._topic, partition, start, 0, "recreated"))
            self._positions.jump(partition, 0)

    def _look_for_topic(self, asked: _Asked) -> None:
        """Check if partitions that the brokers have not known for a while are deleted."""
        if not self._trouble.is_unknown_for(_SURELY_GONE_SECONDS):
            return
        self._trouble.unknown_since = None
        known = self._partitions_known()
        for partition, end in asked.ends.items():
            position = self._positions[partition]
            if partition not in known and position < end:
                asked.gaps.append(Gap(self._topic, partition, position, end, "deleted"))
                self._positions.jump(partition, end)

    def _partitions_known(self) -> frozenset[int]:
        from confluent_kafka import KafkaException

        try:
            told = self._consumer.list_topics(self._topic, timeout=self._patience)
        except KafkaException as error:
            raise self._unreachable() from error
        return frozenset(told.topics[self._topic].partitions)

    def _range_held(self, partition: int) -> tuple[int, int]:
        from confluent_kafka import KafkaException

        try:
            held = self._consumer.get_watermark_offsets(self._at(partition), timeout=self._patience)
        except KafkaException as error:
            raise self._unreachable() from error
        if held is None:
            raise self._unreachable()
        return held

    def _at(self, partition: int, offset: int = -1001) -> TopicPartition:
        from confluent_kafka import TopicPartition

        return TopicPartition(self._topic, partition, offset)

    def _unreachable(self) -> KafkaUnreachableError:
        places = ", ".join(f"{p}:{offset}" for p, offset in self._positions.offsets().items())
        return KafkaUnreachableError(
            self._servers,
            f"reading topic {self._topic} at partition:offset {places}",
            self._patience,
            self._trouble.text,
        )


@dataclass
class _Asked:
    """One call of `read`, and the records it has so far."""

    ends: Mapping[int, int]
    max_records: int
    max_bytes: int
    linger_seconds: float
    builder: RecordsBuilder
    since: float = field(default_factory=time.monotonic)
    gaps: list[Gap] = field(default_factory=list)

    def add(self, messages: Sequence[Message], partitions: Any, offsets: Any) -> None:
        if not self.builder.count:
            self.since = time.monotonic()
        self.builder.add(messages, partitions, offsets)

    def is_recreated(self) -> bool:
        return any(gap.reason == "recreated" for gap in self.gaps)

    def wanted(self, positions: Positions) -> int:
        """How many records are still wanted; 0 if there are enough bytes."""
        if self.builder.bytes >= self.max_bytes:
            return 0
        return min(positions.remaining(self.ends), self.max_records - self.builder.count)


def _reading(buffer_bytes: int, partitions: int) -> dict[str, str | int | bool]:
    """Settings of librdkafka for reading ranges."""
    return {
        # The client requires a group and names it to the brokers; no consumer ever joins it.
        "group.id": "social-assets-reader",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        # Reports the end even if the last offsets have no records.
        "enable.partition.eof": True,
        "allow.auto.create.topics": False,
        # Reports a corrupt batch as an error instead of corrupt records. No difference in CPU was
        # measured.
        "check.crcs": True,
        "queued.max.messages.kbytes": max(1024, buffer_bytes // 1024 // max(1, partitions)),
        "fetch.wait.max.ms": 100,
        # The default of one second is how long fetching rests whenever the buffer is full.
        "fetch.queue.backoff.ms": 10,
        "fetch.error.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1000,
        "topic.metadata.propagation.max.ms": 2000,
        "topic.metadata.refresh.fast.interval.ms": 100,
        "socket.keepalive.enable": True,
    }
