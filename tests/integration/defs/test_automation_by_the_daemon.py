"""Dagster's daemon on a home's profile requests late days once, and retries failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance

from bench.live_platform import await_that
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.defs.partitions import day_range
from social_assets.operate.runs.instance import open_instance

pytestmark = [pytest.mark.timeout(300), pytest.mark.endurance]

LAST = date(2026, 3, 30)
RAW, FACT = AssetKey(["raw", "posts"]), AssetKey(["star", "posts"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in (ENVIRONMENT_VARIABLE, "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home) as found:
        yield found


@pytest.fixture
def daemon(home: Home, instance: DagsterInstance) -> Iterator[None]:
    """A daemon that has evaluated the conditions once."""
    graph = Path(__file__).with_name("failing_graph.py")
    command = [Path(sys.executable).with_name("dagster-daemon"), "run", "-f", graph]
    with (home.path / "daemon.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        await_that(lambda: looks(instance) > 1, 60, "the sensor's first look")
        yield
    finally:
        # Its code server and runs are in its session.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def looks(instance: DagsterInstance) -> int:
    """The number of evaluations of the conditions."""
    return sum(
        len(instance.get_ticks(s.instigator_origin_id, s.selector_id))
        for s in instance.all_instigator_state()
    )


def attempts(home: Home) -> list[str]:
    """The number of days of each attempt at the fact."""
    path = home.path / "attempts"
    return path.read_text().split() if path.exists() else []


def late_days_come(instance: DagsterInstance, number: int) -> None:
    for day in day_range(LAST - timedelta(days=number - 1), LAST):
        instance.report_runless_asset_event(AssetMaterialization(RAW, partition=day.isoformat()))


def test_late_days_that_fail_are_tried_twice_again_each_time_in_one_run_and_no_more(
    home: Home, instance: DagsterInstance, daemon: None
) -> None:
    late_days_come(instance, 30)
    await_that(lambda: len(attempts(home)) == 3, 180, "three attempts")
    seen = looks(instance)
    await_that(lambda: looks(instance) > seen + 3, 60, "more looks")
    assert attempts(home) == ["30", "30", "30"]
    assert instance.get_materialized_partitions(FACT) == set()
