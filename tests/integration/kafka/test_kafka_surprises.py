"""Faults of topics and brokers during a reading, and the errors of the reading."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from confluent_kafka import TopicPartition as AssignedPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource, KafkaUnreachableError
from social_assets.ingest.kafka.reader import Gap, TopicReader
from tests.integration.kafka.conftest import Broker
from tests.integration.kafka.kafka_producing import (
    PLENTY,
    numbered,
    offsets,
    produce,
    read_all,
    reader,
    values,
)

pytestmark = pytest.mark.kafka

MakeTopic = Callable[..., str]


@pytest.fixture
def admin(kafka: KafkaResource) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(bootstrap_servers=kafka.client_settings()["bootstrap.servers"])
    yield admin
    admin.close()


def make_again(kafka: KafkaResource, admin: KafkaAdminClient, name: str) -> None:
    former = kafka.topic_id(name)
    admin.delete_topics([name])
    while kafka.topic_id(name) in (former, None):
        kafka.create_topic(name, 1)


def knowing_its_topic(kafka: KafkaResource, name: str) -> TopicReader:
    return reader(
        kafka, name, topic_id=kafka.topic_id(name), ask_topic_id=lambda: kafka.topic_id(name)
    )


def test_offsets_that_retention_deleted_are_a_gap_and_reading_goes_on_behind_it(
    kafka: KafkaResource, topic: MakeTopic, admin: KafkaAdminClient
) -> None:
    name = topic(2)
    produce(kafka, name, numbered(0, 100), partition=0)
    produce(kafka, name, numbered(0, 100), partition=1)
    admin.delete_records({TopicPartition(name, 0): 40})
    with reader(kafka, name, {0: 10, 1: 0}) as r:
        first = read_all(r, {0: 100, 1: 100})
        second = read_all(r, {0: 100, 1: 100})
    assert first.gaps == (Gap(name, 0, 10, 40, "retention"),)
    assert second.gaps == ()
    assert second.next_offsets == {0: 100, 1: 100}
    taken = pa.Table.from_batches([first.records, second.records])
    places = zip(taken["partition"].to_pylist(), taken["offset"].to_pylist(), strict=True)
    assert sorted(places) == [*((0, n) for n in range(40, 100)), *((1, n) for n in range(100))]


def test_retention_that_overtakes_the_reader_is_a_gap_from_where_it_was(
    kafka: KafkaResource, topic: MakeTopic, admin: KafkaAdminClient
) -> None:
    name = topic(1)
    produce(kafka, name, [bytes(1000)] * 5000)
    with reader(kafka, name, buffer_bytes=1 << 16) as r:
        first = r.read({0: 5000}, 100, PLENTY, linger_seconds=5)
        admin.delete_records({TopicPartition(name, 0): 4990})
        taken = offsets(first.records)
        gaps: list[Gap] = []
        while len(taken) == 0 or taken[-1] < 4999:
            read = read_all(r, {0: 5000})
            taken += offsets(read.records)
            gaps += read.gaps
    (gap,) = gaps
    assert (gap.end, gap.reason) == (4990, "retention")
    assert taken == [*range(gap.start), *range(4990, 5000)]


def test_no_record_of_a_topic_made_again_is_taken_for_one_of_the_former(
    kafka: KafkaResource, topic: MakeTopic, admin: KafkaAdminClient
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 100))
    with knowing_its_topic(kafka, name) as r:
        former = read_all(r, {0: 100})
        make_again(kafka, admin, name)
        produce(kafka, name, [b"new"] * 300)
        read = read_all(r, {0: 300})
    assert values(former.records) == numbered(0, 100)
    assert read.records.num_rows == 0
    assert read.gaps == (Gap(name, 0, 100, 0, "recreated"),)
    assert read.next_offsets == {0: 0}
    with knowing_its_topic(kafka, name) as r:
        assert values(read_all(r, {0: 300}).records) == [b"new"] * 300


def test_a_topic_made_again_with_fewer_records_is_a_gap(
    kafka: KafkaResource, topic: MakeTopic, admin: KafkaAdminClient
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 100))
    with knowing_its_topic(kafka, name) as r:
        read_all(r, {0: 100})
        make_again(kafka, admin, name)
        produce(kafka, name, [b"new"] * 5)
        read = read_all(r, {0: 200})
    assert read.records.num_rows == 0
    assert read.gaps == (Gap(name, 0, 100, 0, "recreated"),)


def test_the_same_topic_ending_before_the_position_is_told_as_truncated(
    kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 100))
    present = kafka.topic_id(name)
    with reader(
        kafka, name, {0: 500}, topic_id=present, ask_topic_id=lambda: kafka.topic_id(name)
    ) as r:
        read = read_all(r, {0: 600})
    assert read.gaps == (Gap(name, 0, 500, 100, "truncated"),)
    assert read.next_offsets == {0: 100}


def test_a_topic_deleted_while_it_is_read_is_a_gap_and_no_endless_wait(
    kafka: KafkaResource, topic: MakeTopic, admin: KafkaAdminClient
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 100))
    with reader(kafka, name) as r:
        read_all(r, {0: 100})
        admin.delete_topics([name])
        read = read_all(r, {0: 150})
        while not read.gaps:
            read = read_all(r, {0: 150})
    assert read.gaps == (Gap(name, 0, 100, 150, "deleted"),)
    assert read.next_offsets == {0: 150}


def test_a_broker_killed_amid_a_reading_loses_and_doubles_nothing(
    broker: Broker, kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 60_000), compression_type="lz4")
    taken: list[bytes | None] = []
    with reader(kafka, name, buffer_bytes=1 << 16) as r:
        taken += values(r.read({0: 60_000}, 1000, PLENTY, linger_seconds=1).records)
        os.kill(broker.pid, signal.SIGKILL)
        back = threading.Thread(target=restart_when_gone, args=(broker,))
        back.start()
        while len(taken) < 60_000:
            taken += values(r.read({0: 60_000}, 10_000, PLENTY, linger_seconds=1).records)
        back.join()
    assert taken == numbered(0, 60_000)


def restart_when_gone(broker: Broker) -> None:
    while kafka_broker.is_running(broker.home):
        time.sleep(0.01)
    broker.start()


def test_a_broker_away_longer_than_the_patience_is_an_error_that_names_it(
    broker: Broker, kafka: KafkaResource, topic: MakeTopic
) -> None:
    name = topic(1)
    produce(kafka, name, numbered(0, 10))
    settings = kafka.client_settings()
    broker.stop()
    try:
        with TopicReader(settings, name, {0: 3}, patience_seconds=2) as r:
            started = time.monotonic()
            with pytest.raises(KafkaUnreachableError) as caught:
                read_all(r, {0: 10})
            seconds = time.monotonic() - started
    finally:
        broker.start()
    assert 2 <= seconds < 30
    assert broker.servers in str(caught.value)
    assert f"topic {name} at partition:offset 0:3" in str(caught.value)


def test_a_consumer_that_never_fetches_again_is_replaced(
    kafka: KafkaResource, topic: MakeTopic, caplog: pytest.LogCaptureFixture
) -> None:
    """Seen after a restart of the broker: librdkafka's issue 5153. A paused consumer looks the
    same.
    """
    name = topic(2)
    produce(kafka, name, numbered(0, 100), partition=0)
    with reader(kafka, name, {0: 0, 1: 0}) as r:
        assert values(read_all(r, {0: 100, 1: 0}).records) == numbered(0, 100)
        r._consumer.pause([AssignedPartition(name, partition) for partition in (0, 1)])
        produce(kafka, name, numbered(100, 200), partition=0)
        produce(kafka, name, numbered(0, 50), partition=1)
        reads = [read_all(r, {0: 200, 1: 50}) for _ in range(3)]
    assert sorted(v for read in reads for v in values(read.records)) == sorted(
        numbered(100, 200) + numbered(0, 50)
    )
    assert "a new consumer reads on" in caplog.text
