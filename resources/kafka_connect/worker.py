"""The home's own worker of Kafka Connect: one process on loopback, with Debezium's connector.

Start, find and stop it, from any process, at any time, as the home's broker. All that it knows
(connectors, offsets) is in topics of the Kafka that it works with. Its files are in
`<home>/kafka_connect`:

    jars/               Kafka Connect and Debezium
    worker.properties   written at each start
    port                kept from start to start
    password            of its REST interface, with `users` and `login.conf` for Java
    server.lock         locked by the worker; holds its process id

No connector's configuration holds a password: it names a variable of the worker's environment.
Belongs here: the process. Asking it belongs to `client`.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resources.kafka.jars import ensure_jars, java, java_environment
from resources.kafka.replication import Replication
from resources.kafka.settings import BOOTSTRAP_SERVERS, KafkaSettings
from resources.kafka_connect.client import ConnectClient, ConnectError
from resources.machine.file_locks import exclusive_lock, write_atomically
from resources.machine.home_machine import claim_home
from resources.machine.locked_process import LockedProcess
from resources.machine.ports import free_port, is_free
from resources.settings.home import Home

START_SECONDS = 120.0
PASSWORDS = "SOCIAL_ASSETS_CAPTURE_PASSWORD"
"""What begins the names of the variables that a connector's configuration may name."""

_HOST = "127.0.0.1"
_USER = "social-assets"
_POLL_SECONDS = 0.1
_LOG_TAIL_LINES = 15
_LARGEST_LOG_BYTES = 8 * 1024**2
_PACKAGE = Path(__file__).resolve().parent
_POMS = (_PACKAGE / "pom.xml", _PACKAGE.parents[1] / "docker" / "kafka_connect" / "pom.xml")
_MAIN = "org.apache.kafka.connect.cli.ConnectDistributed"
_JAVA_OPTIONS = (
    *("-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Dlog4j2.level=WARN"),
    "-Djava.security.auth.login.config=login.conf",
)
_LOGIN = (
    "KafkaConnect {\n"
    "  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n"
    '  file="users";\n'
    "};\n"
)

# Offsets are flushed each second: what a killed worker sends again is what came since. Plugins are
# found as services: a search of all jars takes longer.
_PROPERTIES = """\
bootstrap.servers={servers}
group.id={prefix}social-assets-connect
config.storage.topic={prefix}connect_configs
offset.storage.topic={prefix}connect_offsets
status.storage.topic={prefix}connect_status
config.storage.replication.factor={replication}
offset.storage.replication.factor={replication}
status.storage.replication.factor={replication}
offset.storage.partitions=1
status.storage.partitions=1
offset.flush.interval.ms=1000
producer.acks=all
producer.enable.idempotence=true
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=6000
heartbeat.interval.ms=2000
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter.schemas.enable=false
plugin.discovery=service_load
listeners=http://{host}:{port}
rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern={passwords}.*
{topic_config}"""


@dataclass(frozen=True)
class _Files:
    folder: Path
    log: Path

    @property
    def process(self) -> LockedProcess:
        return LockedProcess(self.folder / "server.lock")

    @property
    def port(self) -> Path:
        return self.folder / "port"

    @property
    def password(self) -> Path:
        return self.folder / "password"


def _files(home: Home) -> _Files:
    return _Files(home.kafka_connect, home.logs / "kafka_connect.log")


def is_running(home: Home) -> bool:
    """Whether the worker's process lives; it may still be about to answer."""
    return _files(home).process.is_running()


def process_id(home: Home) -> int | None:
    """The worker's process, if it lives."""
    return _files(home).process.process_id()


def client(home: Home) -> ConnectClient:
    """How to ask the home's worker. Raises ConnectError if it does not run."""
    files = _files(home)
    if not files.process.is_running():
        raise ConnectError(
            f"the Kafka Connect worker of {home.path} does not run: social-assets cdc start"
        )
    url = f"http://{_HOST}:{files.port.read_text().strip()}"
    return ConnectClient(url, _USER, files.password.read_text().strip())


def start(
    home: Home,
    passwords: Mapping[str, str],
    topic_prefix: str = "",
    jars: Path | None = None,
    timeout: float = START_SECONDS,
) -> ConnectClient:
    """Start the home's worker unless it runs; how to ask it, once it answers.

    `passwords` are the variables that connectors name, which must begin with PASSWORDS; only the
    process gets them. Needs a Kafka that runs. One that this call starts and that does not answer
    within `timeout` seconds is ended. Raises ConnectError and KafkaBrokerError.
    """
    files = _files(home)
    claim_home(home.path / "locks")
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.log.parent.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(files.folder / "start.lock", timeout):
        is_ours = not files.process.is_running()
        if is_ours:
            _launch(files, jars or files.folder / "jars", _settings(), passwords, topic_prefix)
        asked = client(home)
        try:
            _await_answer(files, asked, time.monotonic() + timeout)
        except BaseException:
            # Ctrl-C, too: the worker has a session of its own, which does not receive it.
            if is_ours:
                files.process.end()
            raise
    return asked


def stop(home: Home, timeout: float = 60.0) -> bool:
    """Stop the home's worker, and wait until it has; False if none ran. Connectors stay.

    A worker that hangs is killed after `timeout` seconds, which loses nothing: the next one sends
    again what it had not recorded as sent.
    """
    files = _files(home)
    if not files.process.is_running():
        return False
    with exclusive_lock(files.folder / "start.lock", timeout):
        return files.process.stop(timeout, files.log)


def _settings() -> KafkaSettings:
    settings = KafkaSettings.from_environment()
    if settings is None:
        raise ConnectError(
            f"no Kafka is named: set {BOOTSTRAP_SERVERS}, or start the home's own broker with "
            "`social-assets kafka start`"
        )
    if settings.protocol != "PLAINTEXT":
        raise ConnectError(
            f"the home's Kafka Connect worker reaches Kafka without TLS and login only, and it is "
            f"configured with {settings.protocol}: give the configuration that `social-assets cdc "
            "show STREAM` prints to a Kafka Connect cluster of yours"
        )
    return settings


def _launch(
    files: _Files,
    jars: Path,
    settings: KafkaSettings,
    passwords: Mapping[str, str],
    topic_prefix: str,
) -> None:
    found = ensure_jars(jars, next(path for path in _POMS if path.exists()))
    if not files.password.exists():
        write_atomically(files.password, secrets.token_urlsafe(32) + "\n")
    write_atomically(files.folder / "users", f"{_USER}={files.password.read_text()}")
    write_atomically(files.folder / "login.conf", _LOGIN)
    write_atomically(files.port, f"{_choose_port(files)}\n")
    replication = Replication.from_environment()
    properties = _PROPERTIES.format(
        servers=settings.servers,
        replication=replication.factor_for_brokers,
        topic_config="".join(
            f"{topic}.storage.{name}={value}\n"
            for topic in ("config", "offset", "status")
            for name, value in replication.topic_config.items()
        ),
        prefix=topic_prefix,
        host=_HOST,
        port=files.port.read_text().strip(),
        passwords=PASSWORDS,
    )
    write_atomically(files.folder / "worker.properties", properties)
    if files.log.exists() and files.log.stat().st_size > _LARGEST_LOG_BYTES:
        files.log.replace(files.log.with_suffix(".log.1"))
    # A relative class path, as the broker's: Java cuts it at colons.
    class_path = f"{os.path.relpath(found, files.folder)}/*"
    with files.log.open("a") as log:
        files.process.launch(
            [java(), *_JAVA_OPTIONS, "-cp", class_path, _MAIN, "worker.properties"],
            files.folder,
            {**java_environment(), **passwords},
            log,
        )


def _choose_port(files: _Files) -> int:
    """That of the last start, unless it is taken."""
    last = int(files.port.read_text()) if files.port.exists() else 0
    return last if last and is_free(last) else free_port()


def _await_answer(files: _Files, asked: ConnectClient, deadline: float) -> None:
    while not asked.is_healthy():
        is_gone = not files.process.is_running()
        if is_gone or time.monotonic() > deadline:
            tail = files.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
            reason = "it ended" if is_gone else "it does not answer in time; does its Kafka run?"
            raise ConnectError(
                f"the home's Kafka Connect worker did not start: {reason}\n"
                f"The end of its log, {files.log}:\n  " + "\n  ".join(tail)
            )
        time.sleep(_POLL_SECONDS)
