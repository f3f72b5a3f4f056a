"""The disaster drill: a home under load is backed up, destroyed at a random moment, and restored.

The broker is on another machine, as it should be: here, in the process of the test. After each
disaster the runbook is followed (`docs/disaster.md`), and the load goes on. At the end, no record
may be lost or doubled.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from confluent_kafka import Producer

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.files import ServerFiles
from resources.kafka.in_process_broker import MockBroker, mock_broker
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.operate.disaster.list_backups import list_backups
from social_assets.pipeline.stores import StreamStores
from tests.e2e.commands.test_command_line import LIKE, run
from tests.integration.pipeline.accounts import counts

pytestmark = [pytest.mark.timeout(1800), pytest.mark.endurance]

RECORDS = 24_000
FILES, RECORDS_OF_A_FILE = 12, 500
DISASTERS = 2
MORE = 2_000
"""So many records land before each backup."""
SEED = 20261129
EVENT_TIME = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
"""A topic's records of long ago would be rejected."""


def record(number: int) -> str:
    """Every seventh is rejected, for its value."""
    line = LIKE.format(id=f"t{number}", value=-1 if number % 7 == 0 else 1)
    return line.replace("2026-11-01T10:00:00Z", EVENT_TIME)


def is_repeated(number: int) -> bool:
    return number % 10 == 3


@pytest.fixture
def broker(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockBroker]:
    with mock_broker() as broker:
        for name, value in broker.environment().items():
            monkeypatch.setenv(name, value)
        yield broker


@contextmanager
def sending(broker: MockBroker) -> Iterator[Thread]:
    """Send all records to the topic, evenly, until the block ends."""
    over = Event()
    producer = Producer({"bootstrap.servers": broker.servers, "linger.ms": 5})
    topic = contract("engagement_events").kafka_topic

    def send() -> None:
        for number in range(RECORDS):
            for _ in range(2 if is_repeated(number) else 1):
                producer.produce(topic, value=record(number), key=str(number))
            if number % 100 == 0:
                producer.flush()
                if over.wait(0.1):
                    return
        producer.flush()

    thread = Thread(target=send)
    thread.start()
    try:
        yield thread
    finally:
        over.set()
        thread.join()


def files_in(folder: Path) -> list[Path]:
    """Files with records of their own."""
    folder.mkdir()
    made = []
    for number in range(FILES):
        made.append(folder / f"{number:02}.ndjson")
        made[-1].write_text(
            "".join(LIKE.format(id=f"f{number}-{i}", value=1) for i in range(RECORDS_OF_A_FILE))
        )
    return made


def stores() -> StreamStores:
    return (
        StoresResource(clickhouse=ClickHouseResource()).stores().of(contract("engagement_events"))
    )


def raw_rows() -> int:
    return sum(stores().raw.rows_by_day().values())


def started(*arguments: object) -> subprocess.Popen[str]:
    """A process of the home, of its own group."""
    checkout = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": checkout}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, text=True, env=environment, start_new_session=True)


def destroy(home: Home, *processes: subprocess.Popen[str]) -> int:
    """Kill all processes of the home at once, and remove its folder; returns the rows raw had."""
    state = ServerFiles(home).read_state()
    for each in processes:
        with suppress(ProcessLookupError):
            os.killpg(each.pid, signal.SIGKILL)
    if state is not None:
        os.kill(state.pid, signal.SIGKILL)
    for each in processes:
        each.wait()
    rows = raw_rows()
    while home.path.exists():  # the server may write its last file
        shutil.rmtree(home.path, ignore_errors=True)
    return rows


def wait_for_more(process: subprocess.Popen[str]) -> None:
    """Wait until MORE records have landed."""
    before = raw_rows()
    while raw_rows() < before + MORE:
        assert process.poll() is None, "the load has ended"
        time.sleep(0.05)


def test_a_destroyed_home_is_restored_and_nothing_is_lost_or_doubled(
    home: Home, broker: MockBroker, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    files = files_in(tmp_path / "files")
    worker = Path(__file__).with_name("drain_and_load.py")
    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    with sending(broker) as sender:
        for _ in range(DISASTERS):
            load = started(worker, *files)
            made = len(list_backups(str(backups))) if backups.exists() else 0
            for _ in range(2):
                wait_for_more(load)
                assert run("backup", "--to", str(backups)) == 0
            # The disaster finds a load and another backup under way.
            backing = started("-m", "social_assets", "backup", "--to", backups)
            time.sleep(moments.random() * 6)
            before = destroy(home, load, backing)
            assert len(list_backups(str(backups))) in (made + 2, made + 3)
            assert run("restore", "--from", str(backups)) == 0
            assert MORE <= raw_rows() <= before
            assert run("rebuild-warehouse") == 0
        sender.join()
        assert started(worker, "--to-end", *files).wait() == 0
    # A run also finishes the days behind what was interrupted.
    last = tmp_path / "last.ndjson"
    last.write_text(LIKE.format(id="last", value=1))
    assert run("load", "engagement_events", str(last)) == 0
    found = counts(stores())
    repeated = [number for number in range(RECORDS) if is_repeated(number)]
    rejected = [*range(0, RECORDS, 7), *(number for number in repeated if number % 7 == 0)]
    accepted = {f"t{number}" for number in range(RECORDS) if number % 7}
    accepted |= {f"f{number}-{i}" for number in range(FILES) for i in range(RECORDS_OF_A_FILE)}
    accepted.add("last")
    assert found.raw == RECORDS + len(repeated) + FILES * RECORDS_OF_A_FILE + 1
    assert found.rejected == len(rejected)
    assert found.cleaned == found.warehouse == len(accepted)
    with ClickHouseResource().client() as client:
        for table in ("cleaned.engagement_events", "star.fact_engagement"):
            ((rows, unique),) = client.query(
                f"SELECT count(), uniqExact(event_id) FROM {table}"
            ).result_rows
            assert rows == unique == len(accepted), table
        ids = client.query("SELECT event_id FROM cleaned.engagement_events").result_columns[0]
    assert set(ids) == accepted
