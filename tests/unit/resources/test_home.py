"""All state is in one folder outside of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.settings.home import Home, HomeInsideCheckoutError, HomePathError

CHECKOUT = Path(__file__).resolve().parents[3]


def test_every_part_lies_under_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    parts = ("lake", "clickhouse", "dagster", "landing", "artifacts", "samples", "logs")
    assert [getattr(home, part) for part in parts] == [tmp_path / part for part in parts]


def test_the_environment_names_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(tmp_path / "named"))
    assert Home.from_environment().path == tmp_path / "named"


@pytest.mark.parametrize("value", [None, ""])
def test_the_default_is_under_the_users_home(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("SOCIAL_ASSETS_HOME", raising=False)
    else:
        monkeypatch.setenv("SOCIAL_ASSETS_HOME", value)
    assert Home.from_environment().path == Path.home() / ".social-assets"


@pytest.mark.parametrize("inside", [CHECKOUT, CHECKOUT / "data", CHECKOUT / "dbt" / ".." / "home"])
def test_a_home_among_the_sources_is_refused_with_the_setting(inside: Path) -> None:
    with pytest.raises(HomeInsideCheckoutError, match="SOCIAL_ASSETS_HOME"):
        Home(inside)


def test_naming_a_home_creates_nothing(tmp_path: Path) -> None:
    assert not Home(tmp_path / "new").path.exists()


@pytest.mark.parametrize(
    "name",
    ["a?b", "a[1]", "a%20b", "event_date=2026-01-01", "source=x", "a^b", "a|b", "a\\b", "a\nb"],
)
def test_a_home_that_the_storage_libraries_cannot_open_is_refused(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(HomePathError, match=r"cannot be used.*SOCIAL_ASSETS_HOME"):
        Home(tmp_path / name / "home")


@pytest.mark.parametrize("name", ["ho me", "ü", "a%b", "a#b", "it's", "a b=1", "a*b", "{a,b}:;"])
def test_any_other_name_is_a_home(tmp_path: Path, name: str) -> None:
    assert Home(tmp_path / name).path == tmp_path / name
