"""The UI shows runs of commands and can run them again; runs of the UI use one process."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.locations import Location
from social_assets.operate.runs.origin import give_origin


@dg.job
def idle() -> None: ...


def test_a_commands_run_says_where_its_code_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timeline shows only runs with an origin, and re-execution needs it."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(Home(tmp_path)) as instance:
        give_origin(instance, Location.BATCH, "idle")
        run_id = idle.execute_in_process(instance=instance).run_id
    with open_instance(Home(tmp_path)) as again:
        run = again.get_run_by_id(run_id)
    assert run is not None and run.is_success
    assert run.remote_job_origin is not None and run.job_code_origin is not None
    repository = run.remote_job_origin.repository_origin
    assert run.remote_job_origin.job_name == "idle"
    assert repository.get_label() == "__repository__@batch"


@pytest.mark.parametrize("location", Location)
def test_every_job_runs_in_the_process_of_its_run(home: Home, location: Location) -> None:
    """A process for each step took 108 s instead of 36 s."""
    repository = location.definitions().get_repository_def()
    names = repository.job_names
    assert ("__ASSET_JOB" in names) == (location is Location.BATCH)
    others = {n: repository.get_job(n).executor_def.name for n in names}
    assert set(others.values()) == {"in_process"}


def test_the_materialize_dialog_does_not_warn_of_the_launcher(home: Home) -> None:
    with open_instance(home) as instance:
        assert type(instance.run_launcher).__name__ != "DefaultRunLauncher"
        assert isinstance(instance.run_launcher, dg.DefaultRunLauncher)
