"""`social-assets up`: each server of an installation is killed under load, and comes back.

The installation is that of `docker/compose.yaml` as processes: code servers, webserver, daemon,
dashboards, ClickHouse, Kafka, with its runs in PostgreSQL, which the test itself starts again.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from dagster import RunsFilter

from bench.faults.drains import STREAM, stream_holder
from bench.faults.under_load import differences, producing
from resources.clickhouse.resource import URL_VARIABLE
from resources.embedded_clickhouse.lifecycle import stop
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port, is_free
from resources.machine.supervisor import ServiceState
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from sensors.file_arrival import UNDERWAY
from social_assets.contracts.registry import contract
from social_assets.operate.runs.dagster_profile import current_profile
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.up.run import service_states
from tests.integration.kafka.conftest import JARS, Broker
from tests.integration.kafka.drain.drain_bed import wait_until
from tests.postgres_server import PostgresServer, running_postgres

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

POSTGRES = "SOCIAL_ASSETS_DAGSTER_POSTGRES_URL"
SERVERS = ("webserver", "streaming", "batch", "daemon", "serving", "logs", "clickhouse", "kafka")


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def home(
    broker: Broker,
    postgres_server: PostgresServer,
    deployed_home: Callable[[str], Home],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Home]:
    """A home with a broker of its own and its runs in PostgreSQL, whose monitor asks often."""
    made = deployed_home("servers_killed")
    profile = yaml.safe_load(current_profile().read_text())
    for storage in ("run_storage", "event_log_storage", "schedule_storage"):
        del profile[storage]
    profile["storage"] = {
        "custom": {
            "module": "resources.dagster.postgres_storage",
            "class": "PostgresStorage",
            "config": {"postgres_url": {"env": POSTGRES}},
        }
    }
    profile["run_monitoring"]["poll_interval_seconds"] = 5
    made.dagster.mkdir(exist_ok=True)
    (made.dagster / "dagster.yaml").write_text(yaml.safe_dump(profile))
    monkeypatch.setenv(POSTGRES, postgres_server.url)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(made.path))
    monkeypatch.setenv("DAGSTER_HOME", str(made.dagster))
    monkeypatch.setenv(kafka_broker.PORT_VARIABLE, str(free_port()))
    monkeypatch.setenv(kafka_broker.HEAP_VARIABLE, "256")
    monkeypatch.delenv(BOOTSTRAP_SERVERS, raising=False)
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    made.kafka.mkdir(parents=True, exist_ok=True)
    (made.kafka / "jars").symlink_to(JARS)
    kafka_broker.start(made)
    yield made
    kafka_broker.stop(made)
    stop(made)


def states(home: Home) -> Mapping[str, ServiceState]:
    return {state.name: state for state in service_states(home)}


def are_ready(home: Home) -> bool:
    found = states(home)
    return set(found) == set(SERVERS) and all(state.is_ready for state in found.values())


@contextmanager
def running(home: Home, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`social-assets up`, with all servers ready."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "social_assets", "--home", str(home.path), "up"),
                *("--port", str(port), "--api-port", str(free_port())),
            ],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: process.poll() is not None or are_ready(home), 240)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait(60)


def killed(home: Home, name: str) -> ServiceState:
    """The state of a server after it was killed, when it is ready again."""
    before = states(home)[name]
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: states(home)[name].pid not in (None, before.pid), 120)
    wait_until(lambda: states(home)[name].is_ready, 120)
    assert states(home)[name].restarts >= 1
    return states(home)[name]


def is_all_landed(home: Home, records: int) -> bool:
    from bench.faults.drains import stores

    return sum(stores().raw.rows_by_day().values()) >= records and stream_holder(home) is None


def test_every_server_comes_back_and_no_run_and_no_event_is_lost(
    home: Home, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    log, port = tmp_path / "up.log", free_port()
    servers = kafka_broker.bootstrap_servers(home)
    assert servers is not None
    KafkaResource().create_topic(contract(STREAM).kafka_topic, 3)
    with running(home, log, port) as up, producing(servers, 100, 1) as stop_producing:
        wait_until(lambda: stream_holder(home) is not None, 120)
        away = {}
        for name in SERVERS:
            away[name] = killed(home, name).down_seconds
        logging.getLogger(__name__).info("seconds until ready again: %s", away)
        worker = stream_holder(home)
        if worker is not None:
            os.kill(worker, signal.SIGKILL)
        postgres_server.kill()
        postgres_server.start()
        wait_until(lambda: are_ready(home), 180)
        sent = stop_producing()
        # The sensor asks for drains until all is there: nobody else does.
        wait_until(lambda: is_all_landed(home, sent.records), 240)
        wait_until(lambda: not unfinished(home), 120)
        up.kill()
        up.wait()
        wait_until(lambda: is_free(port), 60)
    assert differences(home, sent) == []
    with running(home, log, port):
        assert are_ready(home)


def unfinished(home: Home) -> list[str]:
    """The runs that count as running."""
    with open_instance(home) as instance:
        return [run.run_id for run in instance.get_runs(RunsFilter(statuses=list(UNDERWAY)))]
