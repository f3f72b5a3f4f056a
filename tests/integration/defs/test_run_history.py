"""Maintenance deletes old runs from Dagster's records and keeps the state of partitions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    DagsterInstance,
    OpExecutionContext,
    job,
    op,
)
from dagster._core.test_utils import instance_for_test

from social_assets.defs.maintenance.run_history import forget_runs

EVENTS = AssetKey(["raw", "events"])
LATER = timedelta(hours=1)


@op(config_schema={"day": str})
def land(context: OpExecutionContext) -> None:
    context.log_event(AssetMaterialization(EVENTS, partition=context.op_config["day"]))


@job
def load() -> None:
    land()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with instance_for_test(temp_dir=str(tmp_path)) as found:
        yield found


def run(instance: DagsterInstance, day: str) -> str:
    config = {"ops": {"land": {"config": {"day": day}}}}
    return load.execute_in_process(instance=instance, run_config=config).run_id


def runs(instance: DagsterInstance) -> set[str]:
    return {r.run_id for r in instance.get_runs()}


def test_a_run_whose_partitions_were_made_again_goes_and_its_files_with_it(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    first, second = run(instance, "2026-01-01"), run(instance, "2026-01-01")
    forgotten = forget_runs(instance, datetime.now(UTC) + LATER)
    assert (forgotten.deleted, forgotten.kept) == (1, 1)
    assert forgotten.bytes_freed > 0
    assert runs(instance) == {second}
    assert not [path for path in tmp_path.rglob("*") if first in path.name]


def test_every_partition_stays_known(instance: DagsterInstance) -> None:
    run(instance, "2026-01-01")
    run(instance, "2026-01-02")
    assert forget_runs(instance, datetime.now(UTC) + LATER).deleted == 0
    known = instance.get_materialized_partitions(EVENTS)
    assert known == {"2026-01-01", "2026-01-02"}


def test_young_runs_stay(instance: DagsterInstance) -> None:
    run(instance, "2026-01-01")
    run(instance, "2026-01-01")
    assert forget_runs(instance, datetime.now(UTC) - LATER).deleted == 0


def test_so_many_a_night_and_the_oldest_first(instance: DagsterInstance) -> None:
    made = [run(instance, "2026-01-01") for _ in range(4)]
    assert forget_runs(instance, datetime.now(UTC) + LATER, at_most=2).deleted == 2
    assert runs(instance) == set(made[2:])
