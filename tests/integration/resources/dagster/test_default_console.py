"""The terminal of `social-assets dev` shows what went wrong in a run, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE
from resources.settings.logs import FORMAT, LEVEL
from social_assets.defs.installation import in_installation

Run = Callable[[str], str]


@dg.asset
def complete(context: dg.AssetExecutionContext) -> None:
    context.log.debug("a detail")
    context.log.info("a note")


@dg.asset
def broken() -> None:
    raise OSError("the disk is gone")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Materializes an asset as the button of the UI does, and returns what the terminal shows."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))

    def materialize(asset: str) -> str:
        defs = in_installation(lambda: dg.Definitions(assets=[complete, broken]))
        job = defs.get_repository_def().get_job("__ASSET_JOB")
        selected = job.get_subset(asset_selection={dg.AssetKey(asset)})
        capfd.readouterr()
        with dg.DagsterInstance.ephemeral() as instance:
            selected.execute_in_process(instance=instance, raise_on_error=False)
        return "".join(capfd.readouterr())

    return materialize


def test_a_run_without_a_fault_writes_nothing_at_the_level_of_dev(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEVEL, "WARNING")
    assert run("complete") == ""


def test_a_failed_run_shows_its_error_at_the_level_of_dev(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEVEL, "WARNING")
    shown = run("broken")
    assert "OSError: the disk is gone" in shown
    assert " DEBUG " not in shown


def test_the_default_level_shows_notes_without_details_and_events(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LEVEL, raising=False)
    (line,) = run("complete").splitlines()
    assert "a note" in line and " INFO " in line


def test_runs_write_json_where_the_installation_does(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LEVEL, "INFO")
    monkeypatch.setenv(FORMAT, "json")
    (line,) = run("complete").splitlines()
    assert line.startswith("{") and "a note" in line
