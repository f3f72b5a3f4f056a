"""Log lines reach a collector of OpenTelemetry at least once, and never hold those to ClickHouse.

The collector is a server of the test, which reads each request by OpenTelemetry's own definition.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.log_files.folder import FOLDER, line_files
from resources.log_files.line_file import LineFile
from resources.log_files.otlp import LOGS_ENDPOINT, OtlpEndpoint
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.logs.running_warehouse import RunningWarehouse
from social_assets.pipeline.logs.collector import LONGEST_WAIT, CollectorAwayError, LogCollector
from social_assets.pipeline.logs.positions import ShippedPositions, write_positions
from social_assets.pipeline.logs.ship import Destination, Shipper, positions_path
from social_assets.warehouse.logs.table import LOGS
from tests.integration.resources.embedded_clickhouse.waiting import wait_until

AT = "2026-12-01T10:00:00.123456+00:00"

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Collector:
    """A server that takes log records, or answers as it is told."""

    requests: list[ExportLogsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """Of the next requests; then 200."""
    before_answer: list[Callable[[], None]] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [
            record.body.string_value
            for request in self.requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def url(collector: Collector) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = (
                collector.answers.pop(0) if collector.answers else (200, {}, b"{}")
            )
            if status == 200 and self.path == "/v1/logs":
                # Refuses what the definition does not have.
                collector.requests.append(json_format.Parse(body, ExportLogsServiceRequest()))
            collector.headers.append(dict(self.headers.items()))
            if collector.before_answer:
                collector.before_answer.pop(0)()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/logs"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.lake.mkdir(parents=True)
    return made


@pytest.fixture
def bed(home: Home, url: str, collector: Collector) -> tuple[Home, str, Collector]:
    return home, url, collector


def write(home: Home, *messages: str) -> None:
    """Lines of a process that has ended."""
    out = LineFile(home.path, home.logs / FOLDER, "test", 2**28, lambda text: text)
    for each in messages:
        out.append(json.dumps({"time": AT, "level": "WARNING", "message": each, "stream": "posts"}))
    out.close()


def export(home: Home, url: str, *others: Destination) -> int:
    with httpx.Client() as client:
        store = LogCollector(OtlpEndpoint(url, {"Authorization": "Bearer secret"}), client)
        shipper = Shipper(home, store, 2000, Destination.COLLECTOR, others)
        return shipper.ship().lines


def start(home: Home, url: str) -> subprocess.Popen[bytes]:
    """The shipper as a process."""
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "ship-logs"]
    named = {ENVIRONMENT_VARIABLE: str(home.path), LOGS_ENDPOINT: url}
    return subprocess.Popen(command, env={**os.environ, **named})


def test_a_collector_reads_every_line_with_what_it_says(
    home: Home, url: str, collector: Collector
) -> None:
    write(home, *map(str, range(100)))
    assert export(home, url) == 100
    assert collector.texts() == [str(n) for n in range(100)]
    assert len(collector.requests) > 1
    [resource, *_] = collector.requests[0].resource_logs
    names = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert names["service.namespace"] == "social-assets" and names["service.name"] == "test"
    record = resource.scope_logs[0].log_records[0]
    assert (record.severity_text, record.severity_number) == ("WARNING", 13)
    assert record.time_unix_nano == 1796119200123456000
    told = {each.key: each.value.string_value for each in record.attributes}
    assert (told["stream"], told["log.file.position"]) == ("posts", "0")
    assert {each["Authorization"] for each in collector.headers} == {"Bearer secret"}
    assert line_files(home.logs / FOLDER) == []


def test_lines_wait_for_a_collector_that_is_down(
    home: Home, url: str, collector: Collector
) -> None:
    write(home, "1", "2")
    with pytest.raises(CollectorAwayError, match="ConnectError"):
        export(home, f"http://127.0.0.1:{free_port()}/v1/logs")
    assert export(home, url) == 2
    assert collector.texts() == ["1", "2"]


def test_a_collector_says_when_it_is_to_be_asked_again(
    home: Home, url: str, collector: Collector
) -> None:
    write(home, "1")
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    waits = []
    for answer in ("7", later, "100000", "soon"):
        collector.answers.append((503, {"Retry-After": answer}, b""))
        with pytest.raises(CollectorAwayError, match="503") as away:
            export(home, url)
        waits.append(away.value.wait)
    assert waits[0] == 7 and 60 < waits[1] <= 90 and waits[2:] == [LONGEST_WAIT, 0]
    assert export(home, url) == 1
    assert collector.texts() == ["1"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((400, {}, b""), "refused 1 of 1 log lines for ever (status 400)"),
        ((200, {}, b'{"partialSuccess": {"rejectedLogRecords": "1"}}'), "a partial success"),
    ],
)
def test_what_is_refused_for_ever_is_told_and_holds_nothing(
    answer: Answer, reason: str, bed: tuple[Home, str, Collector], caplog: pytest.LogCaptureFixture
) -> None:
    home, url, collector = bed
    write(home, "1")
    collector.answers.append(answer)
    assert export(home, url) == 1
    assert reason in caplog.text
    write(home, "2")
    assert export(home, url) == 1
    assert collector.texts()[-1] == "2"


def test_a_file_stays_until_every_destination_has_it(
    home: Home, url: str, collector: Collector
) -> None:
    write(home, "1")
    assert export(home, url, Destination.WAREHOUSE) == 1
    [file] = line_files(home.logs / FOLDER)
    assert export(home, url, Destination.WAREHOUSE) == 0
    size = file.stat().st_size
    write_positions(positions_path(home), ShippedPositions({file.name: size}))
    assert export(home, url, Destination.WAREHOUSE) == 0
    assert line_files(home.logs / FOLDER) == []
    assert collector.texts() == ["1"]


def test_a_shipper_that_is_killed_before_it_records_sends_the_batch_again(
    home: Home, url: str, collector: Collector
) -> None:
    write(home, *map(str, range(20)))
    processes: list[subprocess.Popen[bytes]] = []
    # The collector has the lines, and has not answered.
    collector.before_answer.append(lambda: processes[0].send_signal(signal.SIGKILL))
    processes.append(start(home, url))
    assert processes[0].wait(timeout=60) == -signal.SIGKILL
    processes.append(start(home, url))
    wait_until(lambda: collector.texts().count("19") == 2, 60)
    processes[1].send_signal(signal.SIGTERM)
    assert processes[1].wait(timeout=60) == 0
    counted = Counter(collector.texts())
    assert [counted[str(n)] for n in range(20)] == [2] * 20


def test_a_collector_that_is_away_delays_no_line_to_clickhouse(home: Home) -> None:
    ensure_running(home)
    shipper = start(home, f"http://127.0.0.1:{free_port()}/v1/logs")
    try:
        for number in range(3):
            write(home, f"line {number}")
            wait_until(lambda: f"line {number}" in texts_in_clickhouse(home), 60)  # noqa: B023
        assert len(line_files(home.logs / FOLDER)) >= 3
    finally:
        shipper.send_signal(signal.SIGTERM)
        assert shipper.wait(timeout=60) == 0
        stop(home)


def texts_in_clickhouse(home: Home) -> list[str]:
    with RunningWarehouse(home).client() as client:
        if not client.command(f"EXISTS TABLE {LOGS}"):
            return []
        return [str(text) for (text,) in client.query(f"SELECT text FROM {LOGS}").result_rows]
