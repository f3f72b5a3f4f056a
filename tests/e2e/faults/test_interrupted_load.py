"""A load is interrupted: its output, the state of its run, and a second load that completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import DagsterRunStatus

from resources.settings.home import Home
from social_assets.defs.ingestion.jobs.load_job import JOB_NAME
from social_assets.operate.query import run_query
from social_assets.operate.runs.instance import open_instance
from tests.e2e.commands.test_command_line import LIKE

FILES, RECORDS = 3, 5_000


def load(home: Home, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "social_assets", "--home", str(home.path)]
    return subprocess.Popen(
        [*command, "load", "engagement_events", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.endurance
def test_a_load_that_sigterm_ends_is_canceled_and_the_same_command_completes_it(
    home: Home, tmp_path: Path
) -> None:
    for n in range(FILES):
        lines = (LIKE.format(id=f"{n}-{i}", value=1) for i in range(RECORDS))
        (tmp_path / f"file{n}.ndjson").write_text("".join(lines))
    with load(home, tmp_path) as first:
        assert first.stdout is not None
        assert first.stderr is not None
        shown = []
        for line in first.stdout:
            shown.append(line.rstrip())
            if "file0.ndjson: in the warehouse" in line:
                first.send_signal(signal.SIGTERM)
        said = first.stderr.read()
    assert first.returncode == 143
    assert "  load: interrupted" in shown
    assert said.splitlines()[-1].startswith("Interrupted by SIGTERM. What was done is kept")
    with open_instance(home) as instance:
        (run,) = instance.get_runs(limit=1)
    assert (run.job_name, run.status) == (JOB_NAME, DagsterRunStatus.CANCELED)
    with load(home, tmp_path) as again:
        out, error = again.communicate()
    assert (again.returncode, "Traceback" in error) == (0, False), out + error
    _, rows = run_query(
        "SELECT count(), uniqExact(event_id) FROM star.fact_engagement WHERE event_id != ''"
    )
    assert [tuple(row) for row in rows] == [(FILES * RECORDS, FILES * RECORDS)]
