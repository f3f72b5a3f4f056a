"""Several processes write the Dagster records of one home without "database is locked"."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRun
from dagster._core.scheduler.instigation import InstigatorType, TickData, TickStatus

from resources.dagster.sqlite_storage import BUSY_SECONDS
from resources.settings.home import Home
from social_assets.operate.runs.instance import open_instance

PROCESSES = 3
TICKS = 15


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("SOCIAL_ASSETS_HOME", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return Home(tmp_path / "home")


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home) as found:
        yield found


def test_runs_ticks_and_events_wait_as_long_for_another_writer(instance: DagsterInstance) -> None:
    connections = (
        instance.run_storage.connect(),
        instance.schedule_storage.connect(),
        instance.event_log_storage.index_connection(),
    )
    for opened in connections:
        with opened as connection:
            waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        assert waits == BUSY_SECONDS * 1000


def test_the_files_lie_where_dagsters_own_storages_keep_them(home: Home) -> None:
    with open_instance(home) as instance:
        instance.add_run(DagsterRun(job_name="job"))
        tick("sensor", 1.0, instance)
    counted = {"history/runs.db": "runs", "schedules/schedules.db": "job_ticks"}
    for file, table in counted.items():
        with closing(sqlite3.connect(home.dagster / file)) as opened:
            assert opened.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)


@pytest.mark.endurance
def test_processes_that_create_a_home_at_once_and_record_ticks_and_runs_lose_none(
    home: Home,
) -> None:
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        list(pool.map(write, [(str(home.path), n) for n in range(PROCESSES)]))
    with open_instance(home) as instance:
        assert instance.get_runs_count() == PROCESSES * TICKS
        for n in range(PROCESSES):
            assert len(instance.get_ticks(f"origin{n}", f"origin{n}")) == TICKS


@pytest.mark.endurance
def test_a_tick_is_recorded_though_another_writer_takes_longer_than_sqlite_waits_by_default(
    instance: DagsterInstance, home: Home
) -> None:
    with closing(sqlite3.connect(home.dagster / "schedules" / "schedules.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            written = pool.submit(write, (str(home.path), 0))
            with pytest.raises(TimeoutError):  # it waits instead of failing after 5 s
                written.result(timeout=15)
            other.rollback()
            written.result(timeout=60)
    assert len(instance.get_ticks("origin0", "origin0")) == TICKS


def write(task: tuple[str, int]) -> None:
    """The work of one process: some ticks, each with the run that it requested."""
    path, number = task
    with open_instance(Home(Path(path))) as instance:
        for moment in range(TICKS):
            instance.add_run(DagsterRun(job_name=f"job{number}"))
            tick(f"origin{number}", float(moment), instance)


def tick(origin: str, moment: float, instance: DagsterInstance) -> None:
    instance.create_tick(
        TickData(
            instigator_origin_id=origin,
            instigator_name=origin,
            instigator_type=InstigatorType.SENSOR,
            status=TickStatus.STARTED,
            timestamp=moment,
            selector_id=origin,
        )
    )
