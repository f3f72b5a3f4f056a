"""Writes to a topic like producers of all kinds, and reads the whole topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer, Producer, TopicPartition

from resources.kafka.resource import KafkaResource
from social_assets.ingest.kafka.reader import Read, TopicReader
from tests.integration.kafka.drain.drain_bed import wait_until

PLENTY = 1 << 30
Headers = Sequence[tuple[str, bytes | None]]


def produce(
    kafka: KafkaResource,
    topic: str,
    values: Sequence[bytes | None],
    partition: int = 0,
    *,
    headers: Headers | None = None,
    **settings: Any,
) -> None:
    """Append the values in their order, and wait until the broker has all of them."""
    dotted = {name.replace("_", "."): value for name, value in settings.items()}
    # Idempotent: what a busy broker takes at the second attempt would come after what follows it.
    ordered = {"linger.ms": 50, "enable.idempotence": True}
    producer = Producer({**kafka.client_settings(), **ordered, **dotted})
    for value in values:
        producer.produce(topic, value, partition=partition, headers=list(headers or ()) or None)
        producer.poll(0)
    assert producer.flush(30) == 0, "the broker did not take them"


def numbered(first: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, end)]


def reader(
    kafka: KafkaResource, topic: str, starts: Mapping[int, int] | None = None, **options: Any
) -> TopicReader:
    """A reader from these offsets, or from the first offsets of all partitions."""
    offsets = kafka.offsets(topic)
    assert offsets is not None
    return TopicReader(kafka.client_settings(), topic, starts or offsets.earliest, **options)


def ends(kafka: KafkaResource, topic: str) -> Mapping[int, int]:
    offsets = kafka.offsets(topic)
    assert offsets is not None
    return offsets.end


def await_transactions(kafka: KafkaResource, topic: str) -> None:
    """Wait until no transaction is open: a broker writes the end of one after it has answered."""
    settings = {**kafka.client_settings(), "group.id": "t", "isolation.level": "read_uncommitted"}
    consumer = Consumer(settings)

    def end(partition: int) -> int:
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
        return int(end)

    wait_until(lambda: all(end(p) == readable for p, readable in ends(kafka, topic).items()))
    consumer.close()


def read_all(reader: TopicReader, until: Mapping[int, int]) -> Read:
    """Read until the ends, a gap or an open transaction."""
    return reader.read(until, PLENTY, PLENTY, linger_seconds=5)


def values(records: pa.RecordBatch) -> list[bytes | None]:
    return records.column("value").to_pylist()  # type: ignore[no-any-return]


def offsets(records: pa.RecordBatch) -> list[int]:
    return records.column("offset").to_pylist()  # type: ignore[no-any-return]
