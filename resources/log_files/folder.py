"""The folder of log files: their names, which are in use, and the bound of all bytes.

Belongs here: what writers and the shipper must agree on. A process locks the file that it writes,
and the kernel frees the lock when the process ends. A file without a lock is complete. Standard
library only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from resources.settings.logs import LogSettingError

MOST_BYTES = "SOCIAL_ASSETS_LOG_FILES_BYTES"
"""Environment variable: bytes of all log files of a home, 256 MiB by default."""

SUFFIX = ".jsonl"
FOLDER = "lines"
"""The folder in `<home>/logs`."""

_DEFAULT_BYTES = 256 * 1024**2
_LEAST_BYTES = 64 * 1024
_BLOCK_BYTES = 4096
"""What a small file takes of the disk."""
_FILES_AT_ONCE = 32
_LARGEST_FILE_BYTES = 8 * 1024**2


class LogBytesError(LogSettingError):
    """The bound of bytes is no usable number."""


@dataclass(frozen=True)
class Removed:
    """Files that were removed before they were shipped."""

    files: int = 0
    bytes: int = 0

    def __bool__(self) -> bool:
        return self.files > 0


def most_bytes() -> int:
    """The bound of all files. Raises LogBytesError if the environment has no usable number."""
    text = os.environ.get(MOST_BYTES, "").strip()
    if not text:
        return _DEFAULT_BYTES
    if not text.isdigit() or int(text) < _LEAST_BYTES:
        raise LogBytesError(f"{MOST_BYTES} is {text!r}; it must be a number from {_LEAST_BYTES} on")
    return int(text)


def file_bytes(bound: int) -> int:
    """When a process begins its next file."""
    return min(bound // _FILES_AT_ONCE, _LARGEST_FILE_BYTES)


def line_files(folder: Path) -> list[Path]:
    """The files of lines, the oldest first: names begin with the time."""
    with suppress(FileNotFoundError):
        return sorted(each for each in folder.iterdir() if each.suffix == SUFFIX)
    return []


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Whether no process writes the file; during the block none can begin to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def remove_oldest(folder: Path, bound: int) -> Removed:
    """Remove the oldest complete files until all have at most `bound` bytes."""
    sizes: list[tuple[Path, int]] = []
    for path in line_files(folder):
        with suppress(FileNotFoundError):
            sizes.append((path, path.stat().st_size))
    total = sum(max(size, _BLOCK_BYTES) for _, size in sizes)
    removed = Removed()
    for path, size in sizes:
        if total <= bound:
            break
        with suppress(FileNotFoundError), held(path) as is_complete:
            if is_complete:
                path.unlink()
                total -= max(size, _BLOCK_BYTES)
                removed = Removed(removed.files + 1, removed.bytes + size)
    return removed
