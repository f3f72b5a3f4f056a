"""The small disk of tests is full, read-only, and has space again when it says so."""

from __future__ import annotations

import errno

import pytest

from tests.small_disk import MakeSmallDisk


def test_a_filled_disk_takes_no_byte_until_room_is_made(small_disk: MakeSmallDisk) -> None:
    disk = small_disk(8)
    disk.fill()
    with pytest.raises(OSError, match="No space left") as raised:
        (disk.path / "a").write_bytes(b"x")
    assert raised.value.errno == errno.ENOSPC
    disk.make_room()
    (disk.path / "a").write_bytes(b"x" * 1024**2)


def test_a_disk_can_be_filled_up_to_a_rest(small_disk: MakeSmallDisk) -> None:
    disk = small_disk(8)
    disk.fill(leave_bytes=2 * 1024**2)
    assert 2 * 1024**2 <= disk.free_bytes < 2 * 1024**2 + 8192


def test_a_read_only_disk_takes_nothing_until_it_is_writable(small_disk: MakeSmallDisk) -> None:
    disk = small_disk(8)
    disk.make_read_only()
    with pytest.raises(OSError, match="Read-only"):
        (disk.path / "a").write_bytes(b"x")
    disk.make_writable()
    (disk.path / "a").write_bytes(b"x")
