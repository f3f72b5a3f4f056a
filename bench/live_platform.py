"""The platform as people run it, in a temporary home: broker, ClickHouse, `dagster dev`.

Belongs here: starting and stopping it, and what a person does in its UI. The measurements are in
`streaming/`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import ensure_running
from resources.embedded_clickhouse.lifecycle import stop as stop_clickhouse
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS
from resources.machine.ports import free_port
from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.ingestion.jobs.drain_job import drain_job_name
from social_assets.operate.runs.instance import use_home
from social_assets.operate.ui.process import UiProcess
from social_assets.warehouse.dbt.deployment import deploy_warehouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

STREAM = "engagement_events"
TOPIC = contract(STREAM).kafka_topic
PARTITIONS = 4
COUNT = "SELECT sum(events) FROM rollups.engagement_hourly"

_SENSOR = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "streaming",
    "sensorName": f"{STREAM}_kafka",
}
_JOB = drain_job_name(contract(STREAM))
_SENSOR_STATE = """
query ($sensor: SensorSelector!) {
  sensorOrError(sensorSelector: $sensor) { ... on Sensor { sensorState { id status } } }
}"""
_START = """
mutation ($sensor: SensorSelector!) {
  startSensor(sensorSelector: $sensor) { __typename ... on PythonError { message } }
}"""
_STOP = """
mutation ($id: String!) {
  stopSensor(id: $id) { __typename ... on PythonError { message } }
}"""
_LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } }
}"""
_RUNS = """
query ($job: String!) {
  runsOrError(filter: {pipelineName: $job}, limit: 50) {
    ... on Runs { results { runId status startTime endTime } }
  }
}"""
_FAILURE = """
query ($id: ID!) {
  logsForRun(runId: $id) {
    ... on EventConnection { events { ... on ErrorEvent { error { message } } } }
  }
}"""
_LOCATIONS = """
{
  workspaceOrError {
    ... on Workspace {
      locationEntries { locationOrLoadError { ... on PythonError { message } } }
    }
  }
}"""
_TICK_SECONDS = 8.0
"""The daemon looks at its sensors every 5 s, and a tick of ours is over in less than 3."""
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class Drain:
    """A run that drained; times in seconds since 1970, None for a time that has not come."""

    run_id: str
    status: str
    started: float | None
    ended: float | None


@dataclass(frozen=True)
class LivePlatform:
    """A running platform and its warehouse."""

    home: Home
    url: str
    token: str
    warehouse: Client
    kafka: KafkaResource

    def visible(self) -> int:
        """The number of events in the hourly rollup."""
        return int(self.warehouse.query(COUNT).result_rows[0][0])

    def turn_sensor_on(self) -> None:
        """Turn the sensor on, as in the UI."""
        self._expect("startSensor", _START, "Sensor", sensor=_SENSOR)

    def turn_sensor_off(self) -> None:
        """Turn the sensor off, also if its definition has it on by default."""
        state = self.ask(_SENSOR_STATE, sensor=_SENSOR)["sensorOrError"]["sensorState"]
        self._expect("stopSensor", _STOP, "StopSensorMutationResult", id=state["id"])

    def launch_drain(self, seconds: float) -> str:
        """Start a drain that ends after so many seconds; returns its run id."""
        where = {name: value for name, value in _SENSOR.items() if name != "sensorName"}
        config = {"ops": {f"{_JOB}_topic": {"config": {"seconds": seconds}}}}
        params = {"selector": {**where, "jobName": _JOB}, "runConfigData": json.dumps(config)}
        answer = self._expect("launchRun", _LAUNCH, "LaunchRunSuccess", params=params)
        return str(answer["run"]["runId"])

    def drains(self) -> list[Drain]:
        """The drains, the latest first."""
        found = self.ask(_RUNS, job=_JOB)["runsOrError"]["results"]
        return [Drain(r["runId"], r["status"], r["startTime"], r["endTime"]) for r in found]

    def await_end_of_drains(self, seconds: float = 300) -> None:
        """Wait until no drain runs and no tick requests one.

        Raises RuntimeError that names a drain which failed.
        """
        deadline, ended_since = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() - ended_since < _TICK_SECONDS:
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds:.0f} s in vain for drains to end")
            if not all(drain.status in _ENDED for drain in self.drains()):
                ended_since = time.monotonic()
            time.sleep(0.5)
        for drain in self.drains():
            if drain.status != "SUCCESS":
                why = self.ask(_FAILURE, id=drain.run_id)["logsForRun"]["events"]
                told = "; ".join(e["error"]["message"] for e in why if e.get("error"))
                raise RuntimeError(f"drain {drain.run_id} ended as {drain.status}: {told}")

    def ask(self, query: str, **variables: object) -> Mapping[str, Any]:
        """The webserver's answer to a GraphQL query. Raises RuntimeError with the errors of the
        answer.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(  # noqa: S310 - our own, http
            f"{self.url}/graphql",
            body,
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            answer = json.load(response)
        if answer.get("errors"):
            raise RuntimeError(f"the webserver refuses {query}: {answer['errors']}")
        found: Mapping[str, Any] = answer["data"]
        return found

    def _expect(self, field: str, query: str, kind: str, **variables: object) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.ask(query, **variables)[field]
        if answer["__typename"] != kind:
            raise RuntimeError(f"{field} was answered with {answer}")
        return answer


def await_that(is_so: Callable[[], bool], seconds: float, what: str, poll: float = 0.5) -> None:
    """Wait for a condition. Raises TimeoutError that names the condition."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(poll)


@contextmanager
def temporary_home(prefix: str) -> Iterator[Home]:
    """A temporary home that the environment names, with a deployed warehouse.

    The home is deleted at the end, and its ClickHouse and Kafka are stopped.
    """
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        home = Home(Path(folder))
        use_home(home)
        try:
            deploy_warehouse(ensure_running(home), home)
            yield home
        finally:
            kafka_broker.stop(home)
            stop_clickhouse(home)


@contextmanager
def broker(folder: Path) -> Iterator[Home]:
    """A new home in a folder, with a broker and an empty topic for each stream.

    The jars stay in the folder; the home is deleted at the end.
    """
    home = Home(folder / "home")
    shutil.rmtree(home.path, ignore_errors=True)
    home.path.mkdir(parents=True)
    for variable in (BOOTSTRAP_SERVERS, URL_VARIABLE):
        os.environ.pop(variable, None)
    use_home(home)
    kafka_broker.start(home, folder / "kafka-jars")
    try:
        for each in contracts():
            KafkaResource().create_topic(each.kafka_topic, PARTITIONS)
        yield home
    finally:
        kafka_broker.stop(home)
        shutil.rmtree(home.path)


@contextmanager
def live_platform(home: Home) -> Iterator[LivePlatform]:
    """The platform of a home with a deployed warehouse; its sensors are on."""
    clickhouse = ClickHouseResource()
    deploy_warehouse(clickhouse.endpoint(), home)
    try:
        with (
            UiProcess(home, free_port()) as ui,
            clickhouse.client() as warehouse,
        ):
            ui.await_answer()
            platform = LivePlatform(home, ui.url, ui.token, warehouse, KafkaResource())
            await_that(lambda: _is_loaded(platform), 120, "the UI to have loaded the definitions")
            yield platform
    finally:
        stop_clickhouse(home)


def _is_loaded(platform: LivePlatform) -> bool:
    for entry in platform.ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]:
        found = entry["locationOrLoadError"] or {}
        if "message" in found:
            raise RuntimeError(f"Dagster can't load the definitions: {found['message']}")
    return bool(platform.ask(_SENSOR_STATE, sensor=_SENSOR)["sensorOrError"])
