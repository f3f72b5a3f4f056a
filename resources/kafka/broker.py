"""The home's own Kafka: one Apache Kafka node (KRaft) on loopback, for one machine.

Start, find and stop it, from any process, at any time. Safe when several try at once and when any
of them, or the broker, is killed: the broker's process holds `server.lock` for its whole life, and
the kernel keeps that true. All files are in `<home>/kafka`:

    jars/               Kafka itself
    data/               topics; a broker that was killed recovers them at its next start
    server.properties   written at each start
    ports               client and controller port, kept from start to start
    bootstrap_servers   where clients connect: there from the first start until `stop`
    server.lock         locked by the broker; holds its process id

Standard library only. What is asked of a broker belongs to `kafka`.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from resources.kafka.jars import KafkaBrokerError, ensure_jars, java, java_environment
from resources.machine.file_locks import exclusive_lock, write_atomically
from resources.machine.home_machine import claim_home
from resources.machine.locked_process import LockedProcess
from resources.machine.port_holder import holder
from resources.machine.ports import free_port, is_free
from resources.settings.home import Home

__all__ = ["KafkaBrokerError", "bootstrap_servers", "is_running", "start", "stop"]

PORT_VARIABLE = "SOCIAL_ASSETS_KAFKA_PORT"
HEAP_VARIABLE = "SOCIAL_ASSETS_KAFKA_HEAP_MB"
TIMEOUT_VARIABLE = "SOCIAL_ASSETS_KAFKA_START_SECONDS"
DEFAULT_PORT = 9092
DEFAULT_HEAP_MB = 512
DEFAULT_START_SECONDS = 60
LARGEST_RECORD_BYTES = 16 * 1024**2

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 15
_LARGEST_LOG_BYTES = 8 * 1024**2

# The serial collector: half of G1's CPU seconds when idle (3 % of a core against 7 %).
_JAVA_OPTIONS = ("-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Dlog4j2.level=WARN")

# The session timeout is how long a broker that was killed keeps its successor waiting. Retention is
# by size: by time it would delete replayed records, whose times are old, within minutes.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
num.partitions=4
num.network.threads=2
num.io.threads=4
message.max.bytes={largest_record}
replica.fetch.max.bytes={largest_record}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
log.retention.ms=-1
log.retention.bytes=17179869184
"""


@dataclass(frozen=True)
class _Ports:
    client: int
    controller: int


class _Files:
    def __init__(self, home: Home) -> None:
        self.folder = home.kafka
        self.jars = self.folder / "jars"
        self.data = self.folder / "data"
        self.properties = self.folder / "server.properties"
        self.ports = self.folder / "ports"
        self.address = self.folder / "bootstrap_servers"
        self.start_lock = self.folder / "start.lock"
        self.process = LockedProcess(self.folder / "server.lock")
        self.log = home.logs / "kafka.log"


def bootstrap_servers(home: Home) -> str | None:
    """Where the home's broker listens; None if there is none, or it was stopped.

    One that was killed still has its address, where it will listen again.
    """
    try:
        return _Files(home).address.read_text().strip()
    except FileNotFoundError:
        return None


def is_running(home: Home) -> bool:
    """Whether the broker's process lives; it may still be about to answer."""
    return _Files(home).process.is_running()


def process_id(home: Home) -> int | None:
    """The broker's process, if it lives."""
    return _Files(home).process.process_id()


def is_answering(home: Home) -> bool:
    """Whether the broker serves requests."""
    files = _Files(home)
    return (
        files.process.is_running() and files.ports.exists() and _answers(_read_ports(files).client)
    )


def start(home: Home, jars: Path | None = None, timeout: float | None = None) -> str:
    """Start the home's broker unless it runs; its bootstrap servers, once it answers.

    `jars` is where Kafka's jars are kept, `<home>/kafka/jars` if None. A broker that this call
    starts and that does not answer within `timeout` seconds is ended. Raises KafkaBrokerError, and
    HomeOfAnotherMachineError if the home is another machine's.
    """
    files = _Files(home)
    if timeout is None:
        timeout = float(_whole_number(TIMEOUT_VARIABLE, DEFAULT_START_SECONDS))
    claim_home(home.path / "locks")
    files.folder.mkdir(parents=True, exist_ok=True)
    files.log.parent.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(files.start_lock, timeout):
        is_ours = not files.process.is_running()
        if is_ours:
            # A port that is taken is told before jars are fetched.
            _launch(files, _choose_ports(files), ensure_jars(jars or files.jars))
        ports = _read_ports(files)
        try:
            _await_answer(files, ports.client, time.monotonic() + timeout)
        except BaseException:
            # Ctrl-C, too: the broker has a session of its own, which does not receive it.
            if is_ours:
                files.process.end()
            raise
        address = f"{_HOST}:{ports.client}"
        write_atomically(files.address, address + "\n")
        return address


def stop(home: Home, timeout: float = 60.0) -> bool:
    """Stop the home's broker and wait until its data is closed; False if none ran.

    A broker that hangs is killed after `timeout` seconds, which loses nothing: it recovers at its
    next start.
    """
    files = _Files(home)
    if not files.folder.exists():
        return False
    with exclusive_lock(files.start_lock, timeout):
        files.address.unlink(missing_ok=True)
        return files.process.stop(timeout, files.log)


def _launch(files: _Files, ports: _Ports, jars: Path) -> None:
    write_atomically(files.ports, f"{ports.client} {ports.controller}\n")
    files.properties.write_text(
        _PROPERTIES.format(
            host=_HOST,
            port=ports.client,
            controller_port=ports.controller,
            data=files.data.name,
            largest_record=LARGEST_RECORD_BYTES,
        )
    )
    if files.log.exists() and files.log.stat().st_size > _LARGEST_LOG_BYTES:
        files.log.replace(files.log.with_suffix(".log.1"))
    with files.log.open("a") as log:
        if not (files.data / "meta.properties").exists():
            _format(files, jars, log)
        _run(files, jars, log)


def _class_path(files: _Files, jars: Path) -> str:
    """The jars, seen from the broker's folder.

    Both Java commands run in that folder and get relative paths: Java cuts a class path at colons,
    Kafka cuts `log.dirs` at commas, and a path beyond ASCII depends on the locale.
    """
    return f"{os.path.relpath(jars, files.folder)}/*"


def _format(files: _Files, jars: Path, log: TextIO) -> None:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [
            *(java(), *_JAVA_OPTIONS, "-XX:TieredStopAtLevel=1"),
            *("-cp", _class_path(files, jars)),
            *("kafka.tools.StorageTool", "format", "--ignore-formatted"),
            # In one word: an id may begin with a dash, which would be read as another option.
            *(f"--cluster-id={cluster_id}", f"--config={files.properties.name}"),
        ],
        cwd=files.folder,
        env=java_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        check=False,
    )
    if done.returncode != 0:
        raise _error(files, f"its data folder {files.data} could not be made")


def _run(files: _Files, jars: Path, log: TextIO) -> None:
    heap = _whole_number(HEAP_VARIABLE, DEFAULT_HEAP_MB)
    files.process.launch(
        [
            *(java(), f"-Xmx{heap}m", f"-Xms{min(heap, 256)}m", *_JAVA_OPTIONS),
            *("-cp", _class_path(files, jars), "kafka.Kafka", files.properties.name),
        ],
        files.folder,
        java_environment(),
        log,
    )


def _await_answer(files: _Files, port: int, deadline: float) -> None:
    while not _answers(port):
        if not files.process.is_running():
            raise _error(files, "it ended")
        if time.monotonic() > deadline:
            reason = (
                f"no answer on port {port} in time; a broker that was killed may take longer: "
                f"set {TIMEOUT_VARIABLE}"
            )
            raise _error(files, reason)
        time.sleep(_POLL_SECONDS)


def _answers(port: int) -> bool:
    """Whether a broker serves requests there: it answers ApiVersions, which needs no login."""
    api_versions, version, correlation, no_client = 18, 0, 1, -1
    body = struct.pack(">hhih", api_versions, version, correlation, no_client)
    try:
        with socket.create_connection((_HOST, port), timeout=1) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            return len(connection.recv(8, socket.MSG_WAITALL)) == 8
    except OSError:
        # Nobody there yet: what this function is asked.
        return False


def _read_ports(files: _Files) -> _Ports:
    client, controller = files.ports.read_text().split()
    return _Ports(int(client), int(controller))


def _choose_ports(files: _Files) -> _Ports:
    """Those of the last start, so that clients find the broker again, unless they are taken."""
    wanted = _whole_number(PORT_VARIABLE, 0)
    last = _read_ports(files) if files.ports.exists() else _Ports(DEFAULT_PORT, 0)
    client = wanted or (last.client if is_free(last.client) else free_port())
    if not is_free(client):
        raise KafkaBrokerError(
            f"port {client} is taken by {holder(client)}; end it, or set {PORT_VARIABLE} to "
            "another port, or unset it for a free one"
        )
    return _Ports(client, last.controller if is_free(last.controller) else free_port())


def _whole_number(variable: str, default: int) -> int:
    text = os.environ.get(variable)
    if not text:
        return default
    if not text.isdecimal():
        raise KafkaBrokerError(f"{variable} is {text!r}; it must be a whole number")
    return int(text)


def _error(files: _Files, reason: str) -> KafkaBrokerError:
    lines = files.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    tail = "\n  ".join(lines)
    return KafkaBrokerError(
        f"the home's Kafka broker did not start: {reason}\n"
        f"The end of its log, {files.log}:\n  {tail}"
    )
