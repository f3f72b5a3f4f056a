"""A home of an older release gets the current dagster.yaml unless a person has edited it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dagster import DagsterInstance

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.operate.doctor.diagnostic import Health
from social_assets.operate.doctor.settings import dagster_profile as look
from social_assets.operate.runs import dagster_profile
from social_assets.operate.runs.instance import open_instance

OLD = sorted((Path(__file__).parent / "dagster_yaml").glob("*.yaml"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "")
    found = Home(tmp_path)
    found.dagster.mkdir()
    yield found


def write(home: Home, text: str) -> None:
    dagster_profile.profile_of(home).write_text(text)


def current() -> str:
    return dagster_profile.current_profile().read_text()


def test_the_current_file_is_listed_last_so_that_the_next_release_can_replace_it() -> None:
    digest = hashlib.sha256(current().encode()).hexdigest()
    assert dagster_profile.RELEASED[-1] == digest, (
        "docker/dagster.yaml has changed: add its hash at the end of RELEASED"
    )


@pytest.mark.parametrize("old", OLD, ids=lambda path: path.stem)
def test_an_unedited_file_of_an_earlier_release_is_replaced(home: Home, old: Path) -> None:
    write(home, old.read_text())
    assert [f.health for f in look(home)] == [Health.OK]
    with open_instance(home) as instance:
        assert isinstance(instance, DagsterInstance)
        assert type(instance.run_launcher).__name__ == "LocalLauncher"
    assert dagster_profile.profile_of(home).read_text() == current()
    assert [p.name for p in home.dagster.glob("dagster.yaml*")] == ["dagster.yaml"]


def test_an_edited_file_stays_and_the_doctor_names_what_it_lacks(home: Home) -> None:
    edited = yaml.safe_load(current())
    del edited["run_launcher"]
    del edited["retention"]["sensor"]
    edited["sensors"]["num_workers"] = 20
    write(home, yaml.safe_dump(edited))
    dagster_profile.update_profile(home)
    assert yaml.safe_load(dagster_profile.profile_of(home).read_text()) == edited
    (diagnostic,) = look(home)
    assert diagnostic.health is Health.WARN
    assert "lacks run_launcher, retention.sensor" in diagnostic.found
    assert str(dagster_profile.current_profile()) in diagnostic.remedy


def test_a_component_of_the_users_own_lacks_none_of_the_settings_of_ours(home: Home) -> None:
    own = yaml.safe_load(current())
    own["event_log_storage"] = {"module": "own", "class": "OwnEventLog"}
    write(home, yaml.safe_dump(own))
    assert [f.health for f in look(home)] == [Health.OK]


def test_an_empty_file_lacks_every_setting(home: Home) -> None:
    write(home, "")
    assert dagster_profile.missing_settings(home) == list(yaml.safe_load(current()))


def test_an_edited_file_keeps_its_edits_and_finds_our_modules_where_they_are_now(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.dagster.mkdir()
    edited = (
        "event_log_storage:\n  module: resources.event_log\n  class: BatchingEventLog\n# mine\n"
    )
    dagster_profile.profile_of(home).write_text(edited)
    dagster_profile.update_profile(home)
    moved = edited.replace("resources.event_log", "resources.dagster.event_log")
    assert dagster_profile.profile_of(home).read_text() == moved
