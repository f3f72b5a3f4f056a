"""Events that a run records together are stored in one transaction, and none if one fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    AssetMaterialization,
    DagsterEventType,
    DagsterInstance,
    EventLogEntry,
    OpExecutionContext,
    job,
    op,
)

from resources.dagster.event_log import BatchedSqliteEventLog, SqliteEventLogStorage
from resources.dagster.recorded_events import record
from resources.settings.home import Home
from social_assets.operate.runs.instance import open_instance

KEY = AssetKey("counted")
DAYS = [f"2026-01-{day:02}" for day in range(1, 31)]


@op
def tell(context: OpExecutionContext) -> None:
    days = (AssetMaterialization(KEY, partition=day) for day in DAYS)
    assert record(context, days) == len(DAYS)
    checked = AssetCheckEvaluation(asset_key=KEY, check_name="holds", passed=True)
    assert record(context, [checked]) == 1
    assert record(context, []) == 0


@job
def told() -> None:
    tell()


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    for name in ("SOCIAL_ASSETS_HOME", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    with open_instance(Home(tmp_path / "home")) as found:
        yield found


def _materialized(instance: DagsterInstance) -> set[str]:
    return instance.get_materialized_partitions(KEY)


def test_all_events_are_recorded_in_both_logs(instance: DagsterInstance) -> None:
    run = told.execute_in_process(instance=instance)
    assert _materialized(instance) == set(DAYS)
    events = [each.dagster_event_type for each in instance.all_logs(run.run_id)]
    assert events.count(DagsterEventType.ASSET_MATERIALIZATION) == len(DAYS)
    assert events.count(DagsterEventType.ASSET_CHECK_EVALUATION) == 1


def test_a_batch_is_one_transaction(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    together = BatchedSqliteEventLog.one_transaction

    def count(log: BatchedSqliteEventLog) -> object:
        if not log._is_batch():
            opened.append(1)
        return together(log)

    monkeypatch.setattr(BatchedSqliteEventLog, "one_transaction", count)
    run = told.execute_in_process(instance=instance)
    of_steps = [each for each in instance.all_logs(run.run_id) if each.dagster_event]
    single = len(of_steps) - len(DAYS) - 1
    assert len(opened) == single + 2


def test_of_a_batch_that_fails_nothing_is_recorded(
    instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteEventLogStorage.store_event

    def fail_at_the_tenth(log: SqliteEventLogStorage, event: EventLogEntry) -> None:
        store(log, event)
        if event.dagster_event and event.dagster_event.partition == DAYS[9]:
            raise OSError("disk full, as asked")

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", fail_at_the_tenth)
    run = told.execute_in_process(instance=instance, raise_on_error=False)
    assert not run.success
    assert _materialized(instance) == set()


def test_an_ephemeral_instance_records_one_by_one() -> None:
    with DagsterInstance.ephemeral() as instance:
        told.execute_in_process(instance=instance)
        assert _materialized(instance) == set(DAYS)
