"""A partition moves to another node while it is read, in a cluster of two nodes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from resources.kafka import broker as kafka_broker
from resources.kafka.jars import ensure_jars, java
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import Home
from tests.integration.kafka.conftest import JARS, Broker
from tests.integration.kafka.kafka_producing import PLENTY, numbered, produce, reader, values

pytestmark = pytest.mark.kafka

RECORDS = 40_000


@pytest.fixture
def first_node(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Home, str]]:
    """A broker apart from the worker's, because it has one node fewer afterwards."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    servers = kafka_broker.start(home, JARS)
    monkeypatch.setenv(BOOTSTRAP_SERVERS, servers)
    yield home, servers
    kafka_broker.stop(home)


@pytest.fixture
def second_node(first_node: tuple[Home, str], tmp_path: Path) -> Iterator[None]:
    home, _ = first_node
    cluster = (home.kafka / "data" / "meta.properties").read_text()
    properties = tmp_path / "second.properties"
    voters = next(
        line
        for line in (home.kafka / "server.properties").read_text().splitlines()
        if line.startswith("controller.quorum.voters")
    )
    listener = f"PLAINTEXT://127.0.0.1:{free_port()}"
    properties.write_text(
        f"process.roles=broker\nnode.id=2\n{voters}\nlisteners={listener}\n"
        f"controller.listener.names=CONTROLLER\nlog.dirs={tmp_path / 'second'}\n"
    )
    cluster_id = cluster.split("cluster.id=")[1].splitlines()[0]
    command = [java(), "-Xmx256m", "-XX:+UseSerialGC", "-cp", f"{ensure_jars(JARS)}/*"]
    with (tmp_path / "second.log").open("w") as log:
        subprocess.run(
            [
                *(*command, "kafka.tools.StorageTool", "format"),
                # As one argument: an id may begin with a dash and look like an option.
                *(f"--cluster-id={cluster_id}", f"--config={properties}"),
            ],
            stdout=log,
            stderr=log,
            check=True,
        )
        node = subprocess.Popen([*command, "kafka.Kafka", properties], stdout=log, stderr=log)
    yield
    node.kill()
    node.wait()


def leader(admin: KafkaAdminClient, topic: str) -> int:
    return int(admin.describe_topics([topic])[0]["partitions"][0]["leader_id"])


def move_to(admin: KafkaAdminClient, topic: str, node: int) -> None:
    while node not in {broker["broker_id"] for broker in admin.describe_cluster()["brokers"]}:
        time.sleep(0.1)
    admin.alter_partition_reassignments({TopicPartition(topic, 0): [node]})
    deadline = time.monotonic() + 60
    while leader(admin, topic) != node:
        assert time.monotonic() < deadline, f"partition 0 of {topic} stays away from node {node}"
        time.sleep(0.05)


def test_a_partition_that_moves_to_another_leader_is_read_on(
    first_node: tuple[Home, str], second_node: None
) -> None:
    kafka = KafkaResource()
    kafka.create_topic("moving", 1)
    produce(kafka, "moving", numbered(0, RECORDS))
    admin = KafkaAdminClient(bootstrap_servers=first_node[1])
    taken: list[bytes | None] = []
    with reader(kafka, "moving", buffer_bytes=1 << 16) as r:
        taken += values(r.read({0: RECORDS}, 1000, PLENTY, linger_seconds=5).records)
        move_to(admin, "moving", 3 - leader(admin, "moving"))
        while len(taken) < RECORDS:
            taken += values(r.read({0: RECORDS}, 10_000, PLENTY, linger_seconds=5).records)
        # Also while there is nothing to read.
        move_to(admin, "moving", 3 - leader(admin, "moving"))
        produce(kafka, "moving", numbered(RECORDS, RECORDS + 100))
        while len(taken) < RECORDS + 100:
            taken += values(r.read({0: RECORDS + 100}, 100, PLENTY, linger_seconds=5).records)
    admin.close()
    assert taken == numbered(0, RECORDS + 100)
