"""Where the operational store is, and that its URL never shows its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.settings.environments import VARIABLE, EnvironmentSettingsError
from resources.settings.home import Home
from resources.settings.secret_urls import UrlSettingError
from social_assets.control.location import CONTROL_URL, ControlLocation


def test_without_a_setting_it_is_a_file_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONTROL_URL, raising=False)
    location = ControlLocation.of(Home(tmp_path))
    assert location.url is None
    assert str(location) == f"the operational store {tmp_path}/control/control.db"


def test_production_must_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "production")
    monkeypatch.delenv(CONTROL_URL, raising=False)
    with pytest.raises(EnvironmentSettingsError, match=CONTROL_URL):
        ControlLocation.of(Home(tmp_path))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_url_is_told_without_its_password(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, f"{scheme}://me:hunter2@db.example:6432/social")
    location = ControlLocation.of(Home(tmp_path))
    assert str(location) == "the operational store at db.example:6432, database social"
    assert location.url == "postgresql+psycopg2://me:hunter2@db.example:6432/social"
    assert "hunter2" not in repr(location)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////tmp/hunter2.db",
        "mysql://me:hunter2@db/social",
        "postgresql://me:hun@ter2@db/social",
        "postgresql://me:p/hunter2@db/social",
        "postgresql://db/social?user=me&password=hunter2",
        "hunter2",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTROL_URL, url)
    with pytest.raises(UrlSettingError, match=CONTROL_URL) as error:
        ControlLocation.of(Home(tmp_path))
    assert "hunter2" not in str(error.value)
