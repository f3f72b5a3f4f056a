"""The store of pictures, in a folder and in an object store: whole files by hash, no others."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from pyarrow import fs

from social_assets.lake.media.media_files import MediaFiles, MediaStoreError

BODY = b"GIF89a and so on;"
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(params=["folder", "object store"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> MediaFiles:
    if request.param == "folder":
        return MediaFiles.at(str(tmp_path / "media"))
    store = fsspec.filesystem("memory", skip_instance_cache=True)
    store.store.clear()
    return MediaFiles(fs.PyFileSystem(fs.FSSpecHandler(store)), "bucket/media")


def test_a_file_is_named_by_its_content_and_written_once(files: MediaFiles) -> None:
    assert files.put(BODY, "gif") == files.put(BODY, "gif") == SHA256
    (found,) = files.list()
    assert (found.area, found.name, found.size_bytes) == ("kept", f"{SHA256}.gif", len(BODY))
    assert found.sha256 == SHA256
    assert files.read("kept", found.name) == BODY


def test_an_empty_store_has_no_files(files: MediaFiles) -> None:
    assert list(files.list()) == []


def test_a_file_is_archived_and_deleted(files: MediaFiles) -> None:
    files.put(BODY, "gif")
    files.archive(next(files.list()))
    (found,) = files.list()
    assert found.area == "archive"
    assert files.read("archive", found.name) == BODY
    files.delete(found)
    assert list(files.list()) == []


def test_a_file_that_is_there_in_part_is_written_again(tmp_path: Path) -> None:
    files = MediaFiles.at(str(tmp_path))
    files.put(BODY, "gif")
    path = tmp_path / "kept" / SHA256[:2] / f"{SHA256}.gif"
    path.write_bytes(BODY[:5])
    files.put(BODY, "gif")
    assert path.read_bytes() == BODY


def test_threads_that_store_one_content_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    files = MediaFiles.at(str(tmp_path))
    body = BODY * 10_000
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: files.put(body, "gif"), range(64)))) == 1
    assert [each.size_bytes for each in files.list()] == [len(body)]
    assert list(files.unfinished()) == []


def test_what_a_killed_process_has_begun_is_no_file(tmp_path: Path) -> None:
    files = MediaFiles.at(str(tmp_path))
    files.put(BODY, "gif")
    begun = tmp_path / "kept" / SHA256[:2] / f".{SHA256}.gif.abc.unfinished"
    begun.write_bytes(b"GIF")
    assert len(list(files.list())) == 1
    assert list(files.unfinished()) == [begun]


def test_a_store_that_takes_a_part_of_a_file_is_an_error(
    files: MediaFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MediaFiles, "_size", lambda self, path: 3)
    with pytest.raises(MediaStoreError, match="was not written whole"):
        files.put(BODY, "gif")


def test_the_files_of_a_folder_are_for_their_user_alone(tmp_path: Path) -> None:
    MediaFiles.at(str(tmp_path / "media")).put(BODY, "gif")
    (path,) = (tmp_path / "media").glob("kept/*/*.gif")
    assert path.stat().st_mode & 0o077 == 0
