"""Commands that read create nothing in a mistyped home; commands that create a home say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.cli.home_use import HomeUnusableError, announce_installation, home_use
from social_assets.cli.main import cli, main
from tests.small_disk import MakeSmallDisk

READING = (
    ("status",),
    ("sql", "SELECT 1"),
    ("alerts", "show"),
    ("alerts", "test"),
    ("backfill",),
    ("backup", "--to", "/nowhere"),
    ("quarantine", "posts"),
    ("replay", "posts"),
    ("gaps", "posts"),
    ("keys", "list"),
    ("secrets", "list"),
    ("secrets", "rotate"),
    ("untrack", "x:a"),
    ("accounts",),
    ("credentials", "list"),
    ("credentials", "rotate", "x"),
    ("keys", "revoke", "0123"),
    ("recsys", "champions"),
    ("recsys", "rollback"),
    ("recsys", "train"),
    ("text", "champions"),
    ("text", "rollback"),
    ("text", "train"),
)


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ending:
        main(list(arguments))
    return int(ending.value.code or 0)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "unused"))
    monkeypatch.delenv("SOCIAL_ASSETS_CLICKHOUSE_URL", raising=False)


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_mistyped_home_is_refused_and_nothing_is_made(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("--home", str(tmp_path / "mistyped"), *command) == 2
    said = capsys.readouterr().err
    assert f"no installation at {tmp_path / 'mistyped'} (no such folder)" in said
    assert "--home" in said
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_empty_folder_stays_empty(command: tuple[str, ...], tmp_path: Path) -> None:
    assert ended("--home", str(tmp_path), *command) == 2
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("stop",), ("kafka", "stop")], ids=" ".join)
def test_stopping_what_is_no_installation_says_so(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("--home", str(tmp_path), *command) == 0
    assert "no installation" in capsys.readouterr().out
    assert not any(tmp_path.iterdir())


def test_every_command_says_what_it_does_with_the_home() -> None:
    undeclared = [name for name, command in commands(cli) if home_use(command) is None]
    assert undeclared == []


def commands(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above}{name} ")
        else:
            yield above + name, command


def test_a_new_installation_is_announced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announce_installation(Home(tmp_path / "new"))
    assert capsys.readouterr().err == f"creating a new installation in {tmp_path / 'new'}\n"
    (tmp_path / "new" / "lake").mkdir(parents=True)
    announce_installation(Home(tmp_path / "new"))
    assert capsys.readouterr().err == ""


def test_a_home_that_is_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "below"):
        assert ended("--home", str(home), "status") == 1
        assert f"{file} is not a directory" in capsys.readouterr().err


def test_a_home_on_a_read_only_file_system_is_refused(small_disk: MakeSmallDisk) -> None:
    disk = small_disk(2)
    (disk.path / "home" / "lake").mkdir(parents=True)
    disk.make_read_only()
    for home in (disk.path / "home", disk.path / "new"):
        with pytest.raises(HomeUnusableError, match=r"owned by .* is on a read-only file system"):
            announce_installation(Home(home))


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_a_deployed_machine_needs_no_data_in_its_home(
    environment: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_ENVIRONMENT", environment)
    assert ended("--home", str(tmp_path), "sql", "SELECT 1") == 1
    assert "falls back to nothing" in capsys.readouterr().err
