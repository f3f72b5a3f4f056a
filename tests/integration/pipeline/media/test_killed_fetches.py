"""A fetch that is killed between two steps, or runs beside another, loses and doubles nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.pipeline.media.conftest import MediaHome
from tests.small_disk import MakeSmallDisk

WORKER = "tests.integration.pipeline.media.fetch_worker"
PICTURES = tuple(f"/pictures/facebook/{n}.png" for n in range(20))


def start(media: MediaHome, folder: Path, moment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", WORKER, str(folder), media.url, moment, media.at.isoformat()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def check_each_is_there_once(media: MediaHome) -> None:
    kept = media.kept()
    assert len(kept) == len({post for post, _, _ in kept}) == len(PICTURES)
    assert media.stored() == {sha256: size for _, sha256, size in kept}
    assert media.rows("SELECT count() FROM cleaned.post_media") == [(len(PICTURES),)]


@pytest.mark.parametrize("moment", ["file", "spool", "raw"])
def test_the_next_fetch_completes_a_killed_one(
    media: MediaHome, tmp_path: Path, moment: str
) -> None:
    media.posts(*PICTURES)
    assert start(media, tmp_path, moment).wait(120) == -signal.SIGKILL
    media.fetch()
    check_each_is_there_once(media)
    assert not media.fetch().states
    assert media.expire().files_deleted == 0


def test_two_fetches_at_once_share_the_work(media: MediaHome, tmp_path: Path) -> None:
    media.posts(*PICTURES)
    workers = [start(media, tmp_path, "never") for _ in range(2)]
    told = [worker.communicate(timeout=120)[0] for worker in workers]
    assert sorted(map(int, told)) == [0, len(PICTURES)]
    check_each_is_there_once(media)
    assert set(media.asked().values()) == {1}


def test_a_file_that_was_written_without_a_row_is_deleted_by_the_nightly_run(
    media: MediaHome,
) -> None:
    media.posts(*PICTURES)
    media.fetch()
    media.files.put(b"GIF89a that no row names;", "gif")
    assert media.expire().files_deleted == 1
    check_each_is_there_once(media)


def test_a_fetch_that_finds_the_disk_full_fails_and_completes_when_there_is_room(
    media: MediaHome, tmp_path: Path, small_disk: MakeSmallDisk
) -> None:
    media.posts(*PICTURES)
    disk = small_disk(4, at=tmp_path / "media")
    disk.fill(leave_bytes=16_384)
    with pytest.raises(OSError, match="No space left on device"):
        media.fetch()
    disk.make_room()
    media.fetch()
    check_each_is_there_once(media)
