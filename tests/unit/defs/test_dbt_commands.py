"""One process with dbt loaded takes command after command, and whatever ends it is noticed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from social_assets.warehouse.dbt import commands as dbt_commands
from social_assets.warehouse.dbt.commands import run_command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One that cannot be parsed: its profile is told by the environment, and there is none."""
    (tmp_path / "dbt_project.yml").write_text("name: no_project\nprofile: clickhouse\n")
    (tmp_path / "profiles.yml").write_text(
        "clickhouse: {target: \"{{ env_var('TARGET') }}\", outputs: {}}\n"
    )
    return tmp_path


def parse(project: Path, **environment: str) -> list[dict[str, object]]:
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    arguments = ["--log-level", "none", "--log-path", str(project / "logs"), "parse", *folders]
    return list(run_command(None, arguments, environment))


def kept() -> int:
    (process,) = dbt_commands._idle
    return process.pid


def test_a_command_that_fails_says_why_and_leaves_the_process_and_no_variable_to_the_next(
    project: Path,
) -> None:
    failed, ended = parse(project, TARGET="missing")
    assert "missing" in str(failed["failed"])
    assert ended == {"exit": 1}
    process = kept()
    failed, _ = parse(project)
    assert "Env var required but not provided: 'TARGET'" in str(failed["failed"])
    assert kept() == process


def test_what_dbt_prints_is_not_taken_for_a_report(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(run_command(None, ["--help"], {}))[-1] == {"exit": 0}
    assert capfd.readouterr().out == ""


@pytest.mark.endurance
def test_a_process_that_was_killed_or_left_early_is_not_used_again(project: Path) -> None:
    parse(project)
    killed = kept()
    os.kill(killed, signal.SIGKILL)
    dbt_commands._idle[0].wait()
    reports = run_command(None, ["--help"], {})
    assert next(reports) == {"exit": 0}
    reports.close()
    assert kept() != killed
    left = run_command(None, ["parse", "--project-dir", str(project)], {})
    next(left)
    left.close()
    assert dbt_commands._idle == []
