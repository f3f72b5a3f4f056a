"""A broker for each worker in a temporary home; all workers share Kafka's jars."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from tests.integration.kafka.drain.drain_bed import Bed

JARS = Path(tempfile.gettempdir()) / f"social-assets-kafka-jars-{os.getuid()}"


@dataclass(frozen=True)
class Broker:
    """The worker's broker: its address, and how to stop and start it."""

    home: Home
    servers: str

    def start(self) -> None:
        assert kafka_broker.start(self.home, JARS) == self.servers, "it came back elsewhere"

    def stop(self) -> None:
        kafka_broker.stop(self.home)

    @property
    def pid(self) -> int:
        pid = kafka_broker.process_id(self.home)
        assert pid is not None, "the broker does not run"
        return pid


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    missing = [command for command in ("java", "mvn") if shutil.which(command) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"no {' and no '.join(missing)} on the path, which Kafka needs")
    home = Home(tmp_path_factory.mktemp("kafka_home"))
    # Workers start at the same time: each uses ports of its own range.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
        patch.setenv(kafka_broker.HEAP_VARIABLE, "384")
        servers = kafka_broker.start(home, JARS)
        yield Broker(home, servers)
        kafka_broker.stop(home)


@pytest.fixture
def kafka(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> KafkaResource:
    """The resource of a process whose environment names the broker."""
    monkeypatch.setenv(BOOTSTRAP_SERVERS, broker.servers)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(broker.home.path))
    if not kafka_broker.is_running(broker.home):
        broker.start()
    return KafkaResource()


@pytest.fixture
def topic(kafka: KafkaResource) -> Callable[..., str]:
    """Creates a topic with a new name."""

    def make(partitions: int = 2, **config: str) -> str:
        name = f"t_{uuid4().hex[:12]}"
        kafka.create_topic(name, partitions, {k.replace("_", "."): v for k, v in config.items()})
        return name

    return make


@pytest.fixture(scope="session")
def warehouse_home(deployed_home: Callable[[str], Home]) -> Iterator[Home]:
    """One deployed warehouse for all drains of a worker."""
    home = deployed_home("drained")
    yield home
    stop(home)


@pytest.fixture
def bed(
    kafka: KafkaResource,
    warehouse_home: Home,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Bed:
    """Creates streams, on a warehouse without rows."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(warehouse_home.path))
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    made = Bed(warehouse_home, kafka, tmp_path)
    made.empty()
    return made
