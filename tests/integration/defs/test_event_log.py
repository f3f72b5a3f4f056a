"""The event log records a range of partitions in few transactions, like Dagster's own log."""

import sys
from collections.abc import Iterator
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from dagster import (
    AssetKey,
    BackfillPolicy,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    EventLogEntry,
    asset,
    define_asset_job,
)
from dagster._core.utils import make_new_run_id  # not exported; a watch needs the id first
from sqlalchemy import Engine, create_engine

from resources.dagster import event_log
from resources.dagster.event_log import BatchedSqliteEventLog, SqliteEventLogStorage
from resources.settings.home import Home
from social_assets.defs.partitions import daily, range_tags
from social_assets.operate.runs.instance import open_instance

EVENTS = AssetKey("events")


@asset(partitions_def=daily(), backfill_policy=BackfillPolicy.single_run())
def events() -> None:
    pass


job = Definitions(assets=[events], jobs=[define_asset_job("make")]).resolve_job_def("make")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    for name in ("SOCIAL_ASSETS_HOME", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with open_instance(Home(tmp_path / "home")) as found:
        yield found


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of events in each batch."""
    sizes: list[int] = []
    store = BatchedSqliteEventLog.store_event_batch

    def count(log: BatchedSqliteEventLog, batch: list[EventLogEntry]) -> None:
        sizes.append(len(batch))
        store(log, batch)

    monkeypatch.setattr(BatchedSqliteEventLog, "store_event_batch", count)
    return sizes


def test_a_home_takes_its_events_in_batches(instance: DagsterInstance) -> None:
    assert isinstance(instance.event_log_storage, BatchedSqliteEventLog)


def test_a_file_of_the_log_has_one_engine_however_often_it_is_looked_at(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def count(address: str, **options: Any) -> Engine:
        made.append(address)
        return create_engine(address, **options)

    monkeypatch.setattr(event_log, "create_engine", count)
    tags = range_tags(date(2026, 1, 1), date(2026, 1, 2))
    runs = [job.execute_in_process(instance=instance, tags=tags).run_id for _ in range(2)]
    files = {Path(address).stem for address in made}
    assert len(made) == len(files)
    assert set(runs) <= files <= {*runs, "index"}


def test_the_index_keeps_its_connection_and_a_forked_process_takes_one_of_its_own(
    instance: DagsterInstance,
) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, BatchedSqliteEventLog)

    def connection() -> int:
        with storage.index_connection() as found:
            return id(found.connection.dbapi_connection)

    own = connection()
    assert connection() == own
    forked = get_context("fork").Process(target=lambda: sys.exit(connection() == own))
    forked.start()
    forked.join()
    assert forked.exitcode == 0


def test_whoever_watches_a_run_as_the_ui_does_is_told_of_its_events(
    instance: DagsterInstance,
) -> None:
    run_id, told = make_new_run_id(), Event()

    def tell(event: EventLogEntry, _: str) -> None:
        if event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION:
            told.set()

    instance.watch_event_logs(run_id, None, tell)
    job.execute_in_process(
        instance=instance, tags=range_tags(date(2026, 1, 1), date(2026, 1, 1)), run_id=run_id
    )
    assert told.wait(20)


def test_every_partition_of_a_range_is_recorded_once_in_two_batches(
    instance: DagsterInstance, batches: list[int]
) -> None:
    tags = range_tags(date(2026, 1, 1), date(2026, 1, 31))
    run = job.execute_in_process(instance=instance, tags=tags)
    assert batches == [31, 31]
    assert len(instance.get_materialized_partitions(EVENTS)) == 31
    records = instance.get_records_for_run(
        run.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION
    ).records
    assert len(records) == 31


def test_a_batch_that_fails_leaves_nothing_and_is_taken_one_by_one(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteEventLogStorage.store_event
    calls: list[EventLogEntry] = []

    def fail_once(log: SqliteEventLogStorage, event: EventLogEntry) -> None:
        store(log, event)
        if event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION:
            calls.append(event)
            if len(calls) == 10:
                raise OSError("disk full, as asked")

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", fail_once)
    tags = range_tags(date(2026, 1, 1), date(2026, 1, 31))
    run = job.execute_in_process(instance=instance, tags=tags)
    assert run.success
    kept = instance.fetch_materializations(EVENTS, limit=100).records
    assert len(calls) == 10 + 31
    assert len(kept) == 31
