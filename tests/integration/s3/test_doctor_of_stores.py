"""The doctor reads the stores that homes share, and names what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.settings.bucket_urls import ARTIFACTS_URL, LANDING_URL
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.lake.artifacts.home_copy import publishing
from social_assets.lake.storage.file_system import delta_options, storage_of
from social_assets.operate.doctor.diagnostic import Diagnostic, Health
from social_assets.operate.doctor.examine import examine
from tests.conftest import DeployedHome

pytestmark = pytest.mark.s3


@pytest.fixture
def home(deployed_home: DeployedHome, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = deployed_home("doctor_of_stores")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    return home


@pytest.fixture
def url(bucket: str, tmp_path: Path) -> str:
    return f"{bucket}/{tmp_path.name}"


def named(home: Home, subject: str) -> list[Diagnostic]:
    return [each for each in examine(home) if each.subject == subject]


def test_publications_in_force_are_told(
    home: Home, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ARTIFACTS_URL, url)
    (nothing,) = named(home, "models")
    assert (nothing.health, nothing.found) == (Health.OK, f"{url}: nothing is published yet")
    with publishing(home.artifacts / "champion") as _:
        (home.artifacts / "champion" / "current").write_text("none\n")
    (found,) = named(home, "models")
    assert found.found == f"{url}: publication 1 of champion, 1 files"


def test_a_folder_that_no_stream_loads_is_named(
    home: Home, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LANDING_URL, url)
    storage = storage_of(url, delta_options(url))
    for name in ("posts/a.csv", "post/b.csv"):
        with storage.files.open_output_stream(f"{storage.root}/{name}") as file:
            file.write(b"post_id\n1\n")
    found, unknown = named(home, "landing")
    assert (found.health, found.found) == (Health.OK, f"{url}: folders of posts")
    assert unknown.health is Health.WARN
    assert "no stream is named post:" in unknown.found


@pytest.mark.parametrize("variable", [ARTIFACTS_URL, LANDING_URL])
def test_an_absent_bucket_is_an_error_that_names_the_setting(
    home: Home, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "s3://absent-bucket/store")
    subject = "models" if variable == ARTIFACTS_URL else "landing"
    (found,) = named(home, subject)
    assert found.health is Health.ERROR
    assert f"Create the bucket, or correct {variable}" in found.found


def test_stores_that_are_not_set_are_not_named(home: Home) -> None:
    assert named(home, "models") == named(home, "landing") == []
