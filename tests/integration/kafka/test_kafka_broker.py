"""The home's own broker: it starts once, the home finds it, and it starts again after any end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from resources.kafka import broker as kafka_broker
from resources.kafka.broker import KafkaBrokerError
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.main import cli
from tests.integration.kafka.conftest import JARS, Broker
from tests.integration.kafka.kafka_producing import numbered, produce

pytestmark = pytest.mark.kafka


@pytest.fixture
def own(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home without a broker, in an environment that names none."""
    home = Home(tmp_path / "home")
    monkeypatch.delenv(BOOTSTRAP_SERVERS, raising=False)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    home.kafka.mkdir(parents=True)
    (home.kafka / "jars").symlink_to(JARS)
    # Like a process in which Dagster ran and which a shell started in the background.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield home
    kafka_broker.stop(home)
    signal.signal(signal.SIGTERM, before)


def test_from_start_to_stop_the_home_finds_its_broker_by_itself(own: Home) -> None:
    run = CliRunner().invoke
    assert not KafkaResource().is_configured()

    started = run(cli, ["kafka", "start"])
    servers = kafka_broker.bootstrap_servers(own)
    assert started.output == f"export {BOOTSTRAP_SERVERS}={servers}\n"
    kafka = KafkaResource()
    assert kafka.is_configured()
    kafka.create_topic("mine", 1)
    produce(kafka, "mine", numbered(0, 10))
    pid = kafka_broker.process_id(own)
    assert run(cli, ["kafka", "start"]).output == started.output
    assert kafka_broker.process_id(own) == pid, "a second start started a second broker"

    os.kill(pid or 0, signal.SIGKILL)
    while kafka_broker.is_running(own):
        time.sleep(0.01)
    assert kafka.is_configured(), "a broker that was killed is expected back"
    assert run(cli, ["kafka", "start"]).output == started.output
    offsets = kafka.offsets("mine", timeout_seconds=30)
    assert offsets is not None
    assert offsets.end == {0: 10}

    assert run(cli, ["kafka", "stop"]).output == "stopped Kafka\n"
    assert not kafka_broker.is_running(own)
    assert not KafkaResource().is_configured()
    assert run(cli, ["kafka", "stop"]).output == "Kafka was not running\n"


def test_a_port_that_is_taken_is_refused_by_name(
    broker: Broker, own: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = broker.servers.rpartition(":")[2]
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, taken)
    with pytest.raises(
        KafkaBrokerError, match=f"port {taken} is taken.*{kafka_broker.PORT_VARIABLE}"
    ):
        kafka_broker.start(own)


def test_a_broker_that_does_not_answer_in_time_is_ended(
    own: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kafka_broker.TIMEOUT_VARIABLE, "0")
    with pytest.raises(KafkaBrokerError, match=f"set {kafka_broker.TIMEOUT_VARIABLE}"):
        kafka_broker.start(own)
    assert not kafka_broker.is_running(own)
    monkeypatch.delenv(kafka_broker.TIMEOUT_VARIABLE)
    kafka_broker.start(own)
    pid = kafka_broker.process_id(own)
    with pytest.raises(KafkaBrokerError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_broker, "_answers", lambda _: False)
        kafka_broker.start(own, timeout=0.1)
    assert kafka_broker.process_id(own) == pid, "a broker of another process was ended"


def test_a_broker_that_cannot_start_shows_the_end_of_its_log(
    own: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kafka_broker.HEAP_VARIABLE, "1")
    with pytest.raises(KafkaBrokerError, match=r"(?s)did not start.*kafka\.log.*heap"):
        kafka_broker.start(own)
    assert not kafka_broker.is_running(own)
