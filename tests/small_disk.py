"""A small file system of its own, which a test can fill to the last block or make read-only.

Here belong mounting, filling and making room; what a step does on such a disk is for the tests of
that step. Mounting needs root (CI has it): without, tests that ask for `small_disk` are skipped.

    def test_a_load_on_a_full_disk_says_so(small_disk: MakeSmallDisk) -> None:
        disk = small_disk(400)          # megabytes; a fresh, empty tmpfs at disk.path
        disk.fill()                     # not one byte more can be written
        ...
        disk.make_room()                # what `fill` wrote is gone

`small_disk(400, at=home.lake)` mounts over a folder, so that one part of a home alone is full.
The embedded ClickHouse refuses inserts below a reserve of free space, which is larger than such a
disk: set SOCIAL_ASSETS_DISK_RESERVE_BYTES to 0 (or to some megabytes) before it starts. Stop the
servers of a home before the test ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_PARTS = (1024**2, 4096, 1)
_READ_ONLY, _REMOUNT, _DETACH = 1, 32, 2
_FILLER = ".fill"


class SmallDisk:
    """A mounted tmpfs; `path` is its root."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def free_bytes(self) -> int:
        """The number of bytes that can still be written."""
        usage = os.statvfs(self.path)
        return usage.f_bavail * usage.f_frsize

    def fill(self, leave_bytes: int = 0) -> None:
        """Write until the disk is full, or until `leave_bytes` are left.

        A second call fills the space that has become free.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        file = os.open(self.path / _FILLER, flags, 0o600)
        try:
            for size in _PARTS:
                while leave_bytes == 0 or self.free_bytes - size >= leave_bytes:
                    if not _has_written(file, size):
                        break
        finally:
            os.close(file)

    def make_room(self) -> None:
        """Delete the files of `fill`."""
        (self.path / _FILLER).unlink(missing_ok=True)

    def make_read_only(self) -> None:
        """As the kernel does when a disk fails. EBUSY while a file is open for writing: logs and
        lock files of a server are, so mount the disk over its data folder alone.
        """
        _mount(self.path, _REMOUNT | _READ_ONLY)

    def make_writable(self) -> None:
        """Undo `make_read_only`."""
        _mount(self.path, _REMOUNT)


class MakeSmallDisk(Protocol):
    """Mounts a disk of the given size in megabytes; it is unmounted after the test."""

    def __call__(self, megabytes: int, at: Path | None = None) -> SmallDisk:
        """Mount at a new folder, or over an existing one."""


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A small disk at the folder for the block. `PermissionError` where mounting is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount(folder, 0, f"size={megabytes}m,mode=0700")
    try:
        yield SmallDisk(folder)
    finally:
        # Detached, because a process of a failed test may still have files open.
        if _libc().umount2(os.fsencode(folder), _DETACH) != 0:
            raise _error(f"can't unmount {folder}")


def _has_written(file: int, size: int) -> bool:
    try:
        return os.write(file, bytes(size)) == size
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def _mount(folder: Path, flags: int, options: str = "") -> None:
    done = _libc().mount(b"tmpfs", os.fsencode(folder), b"tmpfs", flags, options.encode())
    if done != 0:
        raise _error(f"can't mount a tmpfs at {folder}")


def _error(text: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{text}: {os.strerror(code)}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
