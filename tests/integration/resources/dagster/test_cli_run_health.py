"""Runs of commands in a container of an installation: the daemon sees but does not end them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.instance.config import dagster_instance_config
from dagster._core.launcher.base import CheckRunHealthResult, RunLauncher, WorkerStatus
from dagster._core.test_utils import create_run_for_test

from resources.dagster.cli_run_lock import mark_of
from resources.settings.environments import (
    CONTROL_URL,
    DAGSTER_STORAGE_URL,
    EnvironmentSettingsError,
)
from resources.settings.home import Home
from social_assets.operate.runs.cli_run_lock import cli_run_lock
from social_assets.operate.runs.instance import open_instance

PROFILES = Path(__file__).resolve().parents[4] / "docker" / "production"


@pytest.fixture
def home(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home of a production installation, whose dagster.yaml keeps runs in Postgres."""
    profile = yaml.safe_load((PROFILES / "dagster.yaml").read_text())
    folder = tmp_path / "opt"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(yaml.safe_dump({"storage": profile["storage"]}))
    for name, value in {
        "SOCIAL_ASSETS_ENVIRONMENT": "production",
        "SOCIAL_ASSETS_HOME": str(tmp_path / "home"),
        "SOCIAL_ASSETS_LAKE_URL": str(tmp_path / "home" / "lake"),
        "SOCIAL_ASSETS_CLICKHOUSE_URL": "http://127.0.0.1:1",
        "SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "DAGSTER_HOME": str(folder),
        "DAGSTER_EVENT_BATCH_SIZE": "0",
        DAGSTER_STORAGE_URL: postgres,
        CONTROL_URL: postgres,
    }.items():
        monkeypatch.setenv(name, value)
    return Home(tmp_path / "home")


@pytest.fixture(params=["docker", "kubernetes"])
def launcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunLauncher:
    """The launcher of a profile, whose health check finds no container."""
    folder = {
        "docker": PROFILES,
        "kubernetes": PROFILES / "kubernetes" / "chart" / "files",
    }[request.param]
    settings, _ = dagster_instance_config(str(folder))
    module, name = settings["run_launcher"]["module"], settings["run_launcher"]["class"]
    kind = getattr(__import__(module, fromlist=[name]), name)
    gone = CheckRunHealthResult(WorkerStatus.NOT_FOUND, "no container")
    monkeypatch.setattr(kind.__bases__[-1], "check_run_worker_health", lambda *_: gone)
    found = kind.__new__(kind)
    assert isinstance(found, RunLauncher)
    assert found.supports_check_run_worker_health
    return found


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home) as found:
        yield found
        # The database is of the session, and other tests look at all runs.
        for run in found.get_runs(RunsFilter(job_name="load_files")):
            found.delete_run(run.run_id)


def test_commands_keep_their_runs_where_the_daemon_does(
    home: Home, instance: DagsterInstance
) -> None:
    run = create_run_for_test(instance, job_name="load_files")
    with DagsterInstance.get() as daemons:
        assert daemons.get_run_by_id(run.run_id) is not None
    assert not home.dagster.exists()


def test_a_deployed_command_that_is_not_told_where_runs_are_refuses(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    with pytest.raises(EnvironmentSettingsError, match="DAGSTER_HOME"):
        open_instance(home)


def test_the_run_of_a_command_is_well_while_its_process_lives(
    home: Home, instance: DagsterInstance, launcher: RunLauncher
) -> None:
    run = create_run_for_test(instance, job_name="load_files", status=DagsterRunStatus.STARTED)
    with cli_run_lock(home, instance, run.run_id):
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.check_run_worker_health(run).msg == "no container"


def test_the_run_of_a_command_that_was_killed_is_not_well(
    home: Home, instance: DagsterInstance, launcher: RunLauncher
) -> None:
    run = create_run_for_test(instance, job_name="load_files", status=DagsterRunStatus.STARTED)
    mark = mark_of(home, run.run_id)
    mark.parent.mkdir(parents=True, exist_ok=True)
    with mark.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    result = launcher.check_run_worker_health(run)
    assert result.status is WorkerStatus.NOT_FOUND
    assert result.msg is not None
    assert "killed" in result.msg
