"""Three Kafka brokers on loopback, each also a controller, that can be killed and started again.

Belongs here: the processes. Every topic has three replicas, of which two must take a record. The
session time-out is that of `docker/production/three_brokers.yaml`: how long a killed broker remains
the leader of its partitions. What is killed when belongs to `lost_brokers`.
"""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from resources.kafka.broker import LARGEST_RECORD_BYTES
from resources.kafka.jars import ensure_jars, java, java_environment
from resources.machine.ports import free_port

NODES = (1, 2, 3)
_START_SECONDS = 120.0
_ANSWER_SECONDS = 5.0
_TOPIC_SECONDS = 30.0
_HEAP = ("-Xmx256m", "-Xms128m")
_JAVA_OPTIONS = (*_HEAP, "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Dlog4j2.level=WARN")

PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs=data
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
num.network.threads=2
num.io.threads=2
message.max.bytes={largest_record}
replica.fetch.max.bytes={largest_record}
offsets.topic.replication.factor=3
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=2
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@dataclass
class _Node:
    """One broker: its folder, ports and process."""

    number: int
    folder: Path
    port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class ThreeBrokers:
    """The cluster, during the block. `jars` is where Kafka's jars are kept."""

    def __init__(self, folder: Path, jars: Path) -> None:
        self._jars = ensure_jars(jars)
        self._nodes = {number: _Node(number, folder / f"broker{number}") for number in NODES}

    @property
    def servers(self) -> str:
        """The bootstrap servers."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self._nodes.values())

    def __enter__(self) -> Self:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        voters = ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in self._nodes.values())
        for node in self._nodes.values():
            node.folder.mkdir(parents=True)
            (node.folder / "server.properties").write_text(
                PROPERTIES.format(
                    node=node.number,
                    voters=voters,
                    port=node.port,
                    controller_port=node.controller_port,
                    largest_record=LARGEST_RECORD_BYTES,
                )
            )
        formatting = [self._format(node, cluster) for node in self._nodes.values()]
        if any(process.wait() for process in formatting):
            raise RuntimeError(f"a broker's folder could not be made: {self._tails()}")
        try:
            self.start(*NODES)
        except BaseException:
            self.kill(*NODES)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill(*NODES)

    def start(self, *numbers: int) -> None:
        """Start these brokers, and wait until the cluster has all that run."""
        for node in map(self._nodes.__getitem__, numbers):
            with node.log.open("ab") as log:
                node.process = subprocess.Popen(
                    [*self._java(), "kafka.Kafka", "server.properties"],
                    cwd=node.folder,
                    env=java_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        wanted = {node.number for node in self._nodes.values() if node.is_running()}
        deadline = time.monotonic() + _START_SECONDS
        while self.brokers() != wanted:
            ended = [
                n.number for n in self._nodes.values() if n.number in numbers and not n.is_running()
            ]
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"brokers {ended or wanted} did not start: {self._tails()}")
            time.sleep(0.1)

    def kill(self, *numbers: int) -> None:
        """Kill these brokers with SIGKILL, all at once."""
        running = [self._nodes[n] for n in numbers if self._nodes[n].is_running()]
        for node in running:
            assert node.process is not None
            node.process.kill()
        for node in running:
            assert node.process is not None
            node.process.wait()

    def brokers(self) -> set[int]:
        """The brokers that the cluster knows as alive; none if nobody answers."""
        found = self._ask()
        return set() if found is None else set(found.brokers)

    def leader(self, topic: str, partition: int = 0) -> int:
        """The broker that leads the partition, or -1; the cluster must answer."""
        return int(self._partition(topic, partition).leader)

    def in_sync(self, topic: str, partition: int = 0) -> set[int]:
        """The brokers that have all of the partition; the cluster must answer."""
        return set(self._partition(topic, partition).isrs)

    def _partition(self, topic: str, partition: int) -> Any:
        # A broker hears of a new topic a moment after the one that has made it.
        ends_at = time.monotonic() + _TOPIC_SECONDS
        while time.monotonic() < ends_at:
            found = self._ask()
            if found is None:
                raise RuntimeError(f"no broker of {self.servers} answers")
            if topic in found.topics and partition in found.topics[topic].partitions:
                return found.topics[topic].partitions[partition]
            time.sleep(0.1)
        raise RuntimeError(f"{self.servers} have no partition {partition} of topic {topic}")

    def _ask(self) -> Any:
        """What the cluster knows of brokers and topics; None if nobody answers."""
        servers = [f"127.0.0.1:{n.port}" for n in self._nodes.values() if n.is_running()]
        admin = AdminClient({"bootstrap.servers": ",".join(servers), "log_level": 0})
        try:
            return admin.list_topics(timeout=_ANSWER_SECONDS)
        except KafkaException:
            # Nobody answers yet: that is what the caller asks.
            return None

    def _java(self) -> list[str]:
        return [java(), *_JAVA_OPTIONS, "-cp", f"{self._jars}/*"]

    def _format(self, node: _Node, cluster: str) -> subprocess.Popen[bytes]:
        with node.log.open("wb") as log:
            return subprocess.Popen(
                [
                    *(*self._java(), "-XX:TieredStopAtLevel=1"),
                    *("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}"),
                    "--config=server.properties",
                ],
                cwd=node.folder,
                env=java_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _tails(self) -> str:
        return "\n".join(
            f"{node.log}: {' | '.join(node.log.read_text(errors='replace').splitlines()[-5:])}"
            for node in self._nodes.values()
            if node.log.exists()
        )
