"""One process with dbt loaded runs command after command; a process that ended is replaced."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from social_assets.warehouse.dbt import commands as dbt_commands
from social_assets.warehouse.dbt.commands import start_dbt


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that cannot be parsed: its profile needs a variable that is absent."""
    (tmp_path / "dbt_project.yml").write_text("name: no_project\nprofile: clickhouse\n")
    (tmp_path / "profiles.yml").write_text(
        "clickhouse: {target: \"{{ env_var('TARGET') }}\", outputs: {}}\n"
    )
    return tmp_path


def arguments(project: Path) -> list[str]:
    folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
    return ["parse", "--log-format", "json", "--log-path", str(project / "logs"), *folders]


def parse(project: Path, **environment: str) -> tuple[str, int]:
    """The errors of a command, and its exit code."""
    with start_dbt(None, arguments(project), environment) as running:
        events = [json.loads(line) for line in running.stdout]
        code = running.wait()
    return "\n".join(e["info"]["msg"] for e in events if e["info"]["level"] == "error"), code


def kept() -> int:
    (server,) = dbt_commands._idle
    return server.process.pid


def test_a_command_that_fails_says_why_and_leaves_the_process_and_no_variable_to_the_next(
    project: Path,
) -> None:
    errors, code = parse(project, TARGET="missing")
    assert "missing" in errors
    assert code == 1
    process = kept()
    errors, _ = parse(project)
    assert "Env var required but not provided: 'TARGET'" in errors
    assert kept() == process


def test_a_process_that_was_killed_is_not_used_again(project: Path) -> None:
    parse(project)
    killed = kept()
    os.kill(killed, signal.SIGKILL)
    dbt_commands._idle[0].process.wait()
    assert parse(project)[1] == 1
    assert kept() != killed


def test_a_process_killed_under_a_command_is_noticed(project: Path) -> None:
    running = start_dbt(None, arguments(project), {})
    running._server.process.kill()
    assert running.wait() == -signal.SIGKILL
    running.stdout.close()
    assert running._server not in dbt_commands._idle


def test_dbt_ends_when_its_log_has_no_reader_any_more(project: Path) -> None:
    (project / "macros").mkdir()
    endless = "{% macro endless() %}{% for n in range(99999999) %}{{ log(n) }}{% endfor %}"
    (project / "macros" / "endless.sql").write_text(endless + "{% endmacro %}")
    (project / "profiles.yml").write_text(
        "clickhouse:\n  target: it\n  outputs:\n"
        "    it: {type: clickhouse, schema: it, host: localhost}\n"
    )
    line = ["run-operation", "endless", *arguments(project)[1:]]
    with start_dbt(None, line, {}) as running:
        running.stdout.readline()
    assert running.returncode == 1


def test_a_signal_ends_a_command_and_not_the_process_with_dbt_loaded(project: Path) -> None:
    parse(project)
    process = kept()
    with start_dbt(None, arguments(project), {}) as running:
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
    assert kept() == process
