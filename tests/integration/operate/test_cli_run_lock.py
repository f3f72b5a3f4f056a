"""A killed command leaves nothing that blocks the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.runs.cli_run_lock import cli_run_lock
from social_assets.operate.runs.instance import open_instance

POOL = "stream_posts"
RUNS = """
import sys
from pathlib import Path
from dagster import DagsterRunStatus, job
from resources.settings.home import Home
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.cli_run_lock import cli_run_lock

@job
def rebuild_days():
    pass

home = Home(Path(sys.argv[1]))
with open_instance(home) as instance:
    run = instance.create_run_for_job(rebuild_days, status=DagsterRunStatus.STARTED)
    with cli_run_lock(home, instance, run.run_id):
        instance.event_log_storage.claim_concurrency_slot("stream_posts", run.run_id, "land_posts")
        print(run.run_id, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in (ENVIRONMENT_VARIABLE, "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return Home(tmp_path / "home")


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home) as found:
        found.event_log_storage.set_concurrency_slots(POOL, 1)
        yield found


@pytest.fixture
def command(home: Home, instance: DagsterInstance) -> Iterator[tuple[int, str]]:
    """The process of a running command, and its run."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNS, str(home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.pid, process.stdout.readline().strip()
    process.communicate()


def free_slots(instance: DagsterInstance) -> int:
    info = instance.event_log_storage.get_concurrency_info(POOL)
    return info.slot_count - info.active_slot_count


def test_the_run_of_a_killed_command_is_ended_by_the_next_and_its_pool_is_free(
    home: Home, instance: DagsterInstance, command: tuple[int, str]
) -> None:
    pid, run_id = command
    with cli_run_lock(home, instance, "mine"):
        assert free_slots(instance) == 0
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with cli_run_lock(home, instance, "mine"):
        assert free_slots(instance) == 1
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is DagsterRunStatus.FAILURE
    assert list((home.path / "locks").glob("*.run")) == []
