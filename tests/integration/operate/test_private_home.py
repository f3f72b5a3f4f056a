"""Other users of the machine cannot read a home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_clickhouse.files import ServerFiles
from resources.settings.home import Home
from social_assets.operate.doctor.diagnostic import Health
from social_assets.operate.doctor.machine import home_folder
from social_assets.operate.runs.instance import use_home


@pytest.fixture(autouse=True)
def usual_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", "")
    before = os.umask(0o022)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_home_is_its_users_alone(tmp_path: Path) -> None:
    use_home(Home(tmp_path / "by a command"))
    ServerFiles(Home(tmp_path / "by the server")).create()
    assert _mode(tmp_path / "by a command") == 0o700
    assert _mode(tmp_path / "by the server") == 0o700


def test_an_older_home_that_others_read_is_tightened_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    use_home(Home(tmp_path / "home"))
    assert _mode(tmp_path / "home") == 0o700


def test_the_doctor_warns_of_a_home_and_a_parent_that_others_reach(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    (parent / "home").mkdir(parents=True, mode=0o755)
    parent.chmod(0o777)
    warned = [f.found for f in home_folder(Home(parent / "home")) if f.health is Health.WARN]
    assert len(warned) == 2
    (parent / "home").chmod(0o700)
    parent.chmod(0o755)
    assert all(f.health is Health.OK for f in home_folder(Home(parent / "home")))
