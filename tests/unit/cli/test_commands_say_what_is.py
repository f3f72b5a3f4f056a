"""A command without results prints that there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from resources.embedded_clickhouse import server
from resources.embedded_clickhouse.files import ServerFiles, ServerState
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.main import cli, main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "home"))
    (tmp_path / "home" / "dagster").mkdir(parents=True)
    return Home(tmp_path / "home")


def test_without_a_champion_the_list_says_so(home: Home) -> None:
    result = CliRunner().invoke(cli, ["recsys", "champions"])
    assert result.exit_code == 0
    assert "no model has served yet" in result.stderr
    assert result.stdout == ""


def test_the_embedded_server_says_where_it_listens(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(of: Home, announce: Callable[[], None]) -> None:
        files = ServerFiles(of).create()
        files.write_state(ServerState(1, "127.0.0.1", 18123, "an instance", 0.0, "26.9"))
        announce()

    monkeypatch.setattr(server, "serve", serve)
    result = CliRunner().invoke(cli, ["serve-clickhouse"])
    assert result.exit_code == 0
    assert "http://127.0.0.1:18123" in result.stdout
    assert str(ServerFiles(home).password_file) in result.stdout


def test_a_server_that_runs_already_is_one_line(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve(of: Home, announce: Callable[[], None]) -> None:
        raise server.AlreadyRunningError("runs already")

    monkeypatch.setattr(server, "serve", serve)
    with pytest.raises(SystemExit) as ended:
        main(["serve-clickhouse"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: runs already\n"
