"""Files of the landing folder: nothing half, nothing lost, whoever dies and whatever fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from social_assets.ingest.webhooks.webhook import WebhookEvent
from social_assets.serving.webhooks import landing_segments
from social_assets.serving.webhooks.landing_segments import LandingSegments
from tests.small_disk import MakeSmallDisk

LONG = 3600.0


def event(number: int, size: int = 0) -> WebhookEvent:
    return WebhookEvent("s", b"%d" % number + b"x" * size)


def open_segments(landing: Path) -> list[Path]:
    return sorted((landing / "s").glob(".*"))


def lines(landing: Path) -> list[bytes]:
    found = sorted((landing / "s").glob("webhooks_*.ndjson"))
    return [line for path in found for line in path.read_bytes().splitlines(keepends=True)]


def test_an_open_segment_is_hidden_and_a_sealed_one_is_not(tmp_path: Path) -> None:
    segments = LandingSegments(tmp_path, seal_seconds=0)
    assert segments.write([event(1), event(2)]) == {}
    (path,) = open_segments(tmp_path)
    assert path.read_bytes() == b"1\n2\n"
    assert path.stat().st_mode & 0o777 == 0o600
    segments.tend()
    assert open_segments(tmp_path) == []
    assert lines(tmp_path) == [b"1\n", b"2\n"]


def test_streams_have_segments_of_their_own(tmp_path: Path) -> None:
    segments = LandingSegments(tmp_path, LONG)
    segments.write([event(1), WebhookEvent("other", b"2")])
    segments.close()
    assert lines(tmp_path) == [b"1\n"]
    assert len(list((tmp_path / "other").glob("webhooks_*.ndjson"))) == 1


def test_a_large_segment_is_sealed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing_segments, "LARGEST_BYTES", 10)
    segments = LandingSegments(tmp_path, LONG)
    segments.write([event(1, size=20)])
    assert len(lines(tmp_path)) == 1
    segments.write([event(2)])
    assert len(open_segments(tmp_path)) == 1


def test_the_segment_of_a_live_process_is_left_alone(tmp_path: Path) -> None:
    segments = LandingSegments(tmp_path, LONG)
    segments.write([event(1)])
    assert LandingSegments(tmp_path, LONG).recover(["s"]) == 0
    assert segments.write([event(2)]) == {}
    segments.close()
    assert lines(tmp_path) == [b"1\n", b"2\n"]


@pytest.mark.parametrize("tail", [b"", b"3", b"\x00" * 100_000])
def test_the_segment_of_a_dead_process_is_sealed_without_its_half_line(
    tmp_path: Path, tail: bytes
) -> None:
    left = tmp_path / "s" / ".webhooks_20261120T090000_1_aa.writing"
    left.parent.mkdir()
    left.write_bytes(b"1\n2\n" + tail)
    assert LandingSegments(tmp_path, LONG).recover(["s"]) == 1
    assert open_segments(tmp_path) == []
    assert lines(tmp_path) == [b"1\n", b"2\n"]


def test_an_empty_segment_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "s" / ".webhooks_20261120T090000_1_aa.writing"
    left.parent.mkdir()
    left.write_bytes(b"half a line")
    assert LandingSegments(tmp_path, LONG).recover(["s"]) == 1
    assert list((tmp_path / "s").iterdir()) == []


def test_a_full_disk_loses_nothing_and_leaves_no_half_line(
    tmp_path: Path, small_disk: MakeSmallDisk
) -> None:
    disk = small_disk(4)
    segments = LandingSegments(disk.path, LONG)
    assert segments.write([event(1)]) == {}
    disk.fill(leave_bytes=100_000)
    failed = segments.write([event(2, size=300_000), event(3)])
    assert set(failed) == {0, 1}
    assert "No space left" in failed[0]
    disk.make_room()
    assert segments.write([event(4)]) == {}
    segments.close()
    assert lines(disk.path) == [b"1\n", b"4\n"]


def test_a_folder_that_cannot_be_made_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a file")
    assert set(LandingSegments(tmp_path, LONG).write([event(1)])) == {0}


def test_a_segment_is_synced_before_the_write_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def noted(file: int) -> None:
        synced.append(os.fstat(file).st_size)
        real(file)

    monkeypatch.setattr(os, "fdatasync", noted)
    LandingSegments(tmp_path, LONG).write([event(1), event(2)])
    assert synced == [4]
