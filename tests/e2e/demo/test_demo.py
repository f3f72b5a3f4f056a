"""The demonstration as a person runs it: its output at the end and after a failure."""

from __future__ import annotations

import subprocess
import sys

import pytest

from resources.clickhouse.resource import URL_VARIABLE
from resources.dagster.private import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
from resources.settings.home import Home
from social_assets.defs.maintenance.rebuild_jobs import REBUILD_LAYERS
from social_assets.demo.run_demo import _train
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.locations import Location

pytestmark = [pytest.mark.timeout(600), pytest.mark.endurance]


def test_the_demo_ends_with_what_both_of_its_runs_made(home: Home) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "social_assets", "--home", str(home.path)]
    shown = subprocess.run(
        [*command, "demo", "--events", "20000", "--days", "8"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert any("recsys/top_n_items_are_known: done" in line for line in lines)
    assert any(line.startswith("Recommended to user") for line in lines)
    assert lines[-1].startswith("Done in ")
    assert checks_without_a_result(home) == set()


def checks_without_a_result(home: Home) -> set[str]:
    """The checks of raw to rollups that the UI shows as skipped or not evaluated."""
    with open_instance(home) as instance:
        graph = Location.BATCH.definitions().resolve_asset_graph()
        keys = [key for key in graph.asset_check_keys if key.asset_key.path[0] in REBUILD_LAYERS]
        storage = instance.event_log_storage
        newest = storage.get_latest_asset_check_execution_by_key(keys)
        days = storage.get_asset_check_partition_info(keys)
    done = COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    evaluated = {key for key, record in newest.items() if record.status in done}
    planned = {
        info.check_key
        for info in days
        if graph.get(info.check_key).partitions_def and info.latest_execution_status not in done
    }
    return {str(key) for key in ({*keys} - evaluated) | planned}


def test_a_training_that_fails_is_told_with_its_reason(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://default:x@127.0.0.1:9")
    with pytest.raises(RunFailedError, match=r"(?s)could not be trained.*127\.0\.0\.1:9"):
        _train(home, lambda _: None)
