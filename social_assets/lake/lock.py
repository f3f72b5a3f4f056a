"""One writer at a time for a stream on this machine.

Here belongs the lock that keeps a load, a drain and a backfill of one stream from overlapping. It
is the operating system's (`flock`), so that it ends with its process however that ends. It holds
on one machine, so whoever takes it must be on the machine that the home belongs to.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.machine.home_machine import claim_home


@contextmanager
def stream_lock(folder: Path, stream: str) -> Iterator[None]:
    """Wait for and hold the stream's lock.

    Raises HomeOfAnotherMachineError if the folder of locks is another machine's.
    """
    claim_home(folder)
    with (folder / f"{stream}.lock").open("w") as file:
        with _waiting(folder, stream).open("w") as queue:
            fcntl.flock(queue, fcntl.LOCK_SH)
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another machine may have taken the home over while this process waited.
        claim_home(folder)
        yield


def is_wanted(folder: Path, stream: str) -> bool:
    """Whether somebody waits for the lock that the caller holds, for long perhaps."""
    with _waiting(folder, stream).open("w") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_held(folder: Path, stream: str) -> bool:
    """Whether any process holds the stream's lock, at this moment."""
    if not (folder / f"{stream}.lock").exists():
        return False
    with (folder / f"{stream}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _waiting(folder: Path, stream: str) -> Path:
    """Locked in common by all who wait."""
    return folder / f"{stream}.waiting"
