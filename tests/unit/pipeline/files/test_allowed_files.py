"""A run loads only files of landing and of configured folders, for any run config."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from social_assets.ingest.records import FileError
from social_assets.pipeline.files.allowed_files import FOLDERS, check_allowed, granted
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.stream_work import Ingested


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landing:
    monkeypatch.setenv("SOCIAL_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(FOLDERS, raising=False)
    found = Landing(tmp_path / "home" / "landing", "posts")
    found.folder.mkdir(parents=True)
    return found


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    return path


def test_a_file_of_landing_is_loaded(landing: Landing) -> None:
    check_allowed(_file(landing.folder / "a.ndjson"))


def test_a_file_elsewhere_is_refused_naming_the_setting(landing: Landing, tmp_path: Path) -> None:
    outside = _file(tmp_path / "private.ndjson")
    for path in (outside, landing.folder / ".." / ".." / ".." / "private.ndjson"):
        with pytest.raises(FileError, match=FOLDERS):
            check_allowed(path)


def test_whether_a_file_elsewhere_exists_is_not_told(landing: Landing, tmp_path: Path) -> None:
    there, absent = _file(tmp_path / "there"), tmp_path / "absent"
    told = []
    for path in (there, absent):
        with pytest.raises(FileError) as refused:
            check_allowed(path)
        told.append(str(refused.value).replace(str(path), ""))
    assert told[0] == told[1]


def test_a_link_in_landing_is_not_followed_out_of_it(landing: Landing, tmp_path: Path) -> None:
    outside = _file(tmp_path / "private" / "x.ndjson")
    (landing.folder / "link.ndjson").symlink_to(outside)
    (landing.folder / "folder").symlink_to(outside.parent)
    for path in (landing.folder / "link.ndjson", landing.folder / "folder" / "x.ndjson"):
        with pytest.raises(FileError):
            check_allowed(path)


def test_a_folder_that_the_setting_names_is_allowed(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path / "drop" / "x.ndjson")
    beside = _file(tmp_path / "drop-beside" / "x.ndjson")
    monkeypatch.setenv(FOLDERS, f"{tmp_path / 'other'}:{tmp_path / 'drop'}")
    check_allowed(path)
    with pytest.raises(FileError):
        check_allowed(beside)


def test_what_a_command_names_is_allowed_in_its_process_until_it_ends(
    landing: Landing, tmp_path: Path
) -> None:
    path = _file(tmp_path / "mine.ndjson")
    with granted([path]):
        check_allowed(path)
    with pytest.raises(FileError):
        check_allowed(path)


@pytest.mark.parametrize("linked", ["failed", "."])
def test_no_file_is_moved_through_a_link_out_of_landing(
    landing: Landing, tmp_path: Path, linked: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    if linked == ".":
        landing.folder.rmdir()
        landing.folder.symlink_to(outside)
    else:
        (landing.folder / linked).symlink_to(outside)
    path = _file(landing.folder / "a.ndjson")
    ingested = cast(Ingested, SimpleNamespace(landed=(), failures=(FileError(path, "bad"),)))
    with pytest.raises(FileError, match="symbolic link"):
        landing.put_aside(ingested)
    assert path.exists()
