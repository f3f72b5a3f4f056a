"""A load of the files in landing, in a home of its own."""

from __future__ import annotations

from pathlib import Path

from resources.settings.home import Home
from tests.e2e.commands.test_command_line import LIKE


def test_a_load_from_landing_that_accepts_nothing_fails_its_run_and_says_why(
    home: Home, tmp_path: Path
) -> None:
    from dagster import DagsterInstance

    from social_assets.defs.ingestion.jobs.load_job import run_config
    from social_assets.operate.runs.locations import Location

    folder = home.landing / "engagement_events"
    folder.mkdir(parents=True)
    (folder / "bad.ndjson").write_text(LIKE.format(id="n", value=-7))
    with DagsterInstance.ephemeral() as instance:
        result = (
            Location.STREAMING.definitions()
            .resolve_job_def("load_files")
            .execute_in_process(
                instance=instance,
                run_config=run_config("engagement_events"),
                raise_on_error=False,
            )
        )
    (failure,) = result.get_step_failure_events()
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert "nothing was accepted: 1 of 1 records" in str(described.description)
    assert [path.name for path in (folder / "loaded").glob("*.ndjson")] == ["bad.ndjson"]
