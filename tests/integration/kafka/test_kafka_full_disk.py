"""The disk of Kafka's log is full: acknowledged records are drained, once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from tests.integration.kafka.conftest import JARS
from tests.integration.kafka.drain.drain_bed import wait_until
from tests.integration.kafka.kafka_producing import ends, read_all, reader, values
from tests.small_disk import MakeSmallDisk, SmallDisk

pytestmark = pytest.mark.kafka


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    found = Home(tmp_path / "home")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(found.path))
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    monkeypatch.setenv(kafka_broker.HEAP_VARIABLE, "384")
    monkeypatch.setenv("SOCIAL_ASSETS_KAFKA_TOPIC_PREFIX", "")
    yield found
    kafka_broker.stop(found)


@pytest.fixture
def disk(home: Home, small_disk: MakeSmallDisk) -> SmallDisk:
    data = home.kafka / "data"
    data.mkdir(parents=True)
    return small_disk(256, at=data)


def test_what_a_broker_acknowledged_before_its_disk_was_full_is_read_once_when_there_is_room(
    home: Home, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOOTSTRAP_SERVERS, kafka_broker.start(home, JARS))
    kafka, topic = KafkaResource(), f"t_{uuid4().hex[:8]}"
    kafka.create_topic(topic, 1, {"segment.bytes": "1048576"})
    disk.fill(leave_bytes=4 * 1024**2)
    acknowledged: list[bytes] = []
    producer = Producer(
        {**kafka.client_settings(), "message.timeout.ms": 5000, "enable.idempotence": True}
    )
    for number in range(400):
        value = b"%06d" % number + os.urandom(32_000)
        producer.produce(
            topic,
            value,
            on_delivery=lambda error, message: error or acknowledged.append(message.value()),
        )
        producer.poll(0)
    producer.flush(30)
    assert 0 < len(acknowledged) < 400
    wait_until(lambda: not kafka_broker.is_running(home))
    disk.make_room()
    monkeypatch.setenv(BOOTSTRAP_SERVERS, kafka_broker.start(home, JARS))
    with reader(kafka, topic) as reading:
        found = values(read_all(reading, ends(kafka, topic)).records)
    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found)
