"""The lock of a stream: one writer at a time on this machine.

It keeps a load, a drain and a backfill of one stream from overlapping. It is a lock of the
operating system (`flock`), which ends with its process. It works on one machine only, so whoever
takes it must be on the machine that the home belongs to.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.machine.home_machine import claim_home


@contextmanager
def stream_lock(folder: Path, stream: str) -> Iterator[None]:
    """Wait for the stream's lock, and hold it for the block.

    Raises HomeOfAnotherMachineError if the folder of locks belongs to another machine.
    """
    claim_home(folder)
    with (folder / f"{stream}.lock").open("w") as file:
        with _waiting(folder, stream).open("w") as queue:
            fcntl.flock(queue, fcntl.LOCK_SH)
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another machine may have taken over the home while this process waited.
        claim_home(folder)
        yield


def is_wanted(folder: Path, stream: str) -> bool:
    """Whether another process waits for the lock that the caller holds."""
    with _waiting(folder, stream).open("w") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_held(folder: Path, stream: str) -> bool:
    """Whether a process holds the stream's lock now."""
    if not (folder / f"{stream}.lock").exists():
        return False
    with (folder / f"{stream}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _waiting(folder: Path, stream: str) -> Path:
    """The file that all waiting processes lock in shared mode."""
    return folder / f"{stream}.waiting"
