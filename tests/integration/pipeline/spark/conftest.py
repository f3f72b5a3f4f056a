"""A Kafka broker for drains on Spark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import Home
from tests.integration.pipeline.spark.topic import TOPIC, jars


@pytest.fixture
def kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KafkaResource]:
    """A broker with the topic of the stream."""
    missing = [command for command in ("java", "mvn") if shutil.which(command) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"no {' and no '.join(missing)} on the path, which Kafka needs")
    home = Home(tmp_path / "kafka_home")
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    monkeypatch.setenv(kafka_broker.HEAP_VARIABLE, "384")
    servers = kafka_broker.start(home, jars("kafka"))
    try:
        monkeypatch.setenv(BOOTSTRAP_SERVERS, servers)
        resource = KafkaResource()
        resource.create_topic(TOPIC, 2, {})
        yield resource
    finally:
        kafka_broker.stop(home)
