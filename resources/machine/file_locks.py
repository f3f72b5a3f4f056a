"""Locks of processes by files, and files that are replaced as a whole.

The kernel frees a lock when its process ends, however it ends. Standard library only.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK_POLL_SECONDS = 0.02


def write_atomically(path: Path, text: str) -> None:
    """Replace a file so that readers see the old or the new content; mode 0600."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock. Takes a shared lock for a moment to find out."""
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def exclusive_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock during the block. Raises TimeoutError if another process keeps it longer."""
    deadline = time.monotonic() + timeout
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"{path} is held by another process for over {timeout:.0f} s"
                    ) from None
                time.sleep(_LOCK_POLL_SECONDS)
        yield
