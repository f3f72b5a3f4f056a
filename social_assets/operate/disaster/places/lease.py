"""Who uses a bucket of backups: an object for each process, renewed while it works.

Belongs here: letting one backup write, or several restores read, where no lock of a machine holds.
A store answers with the newest state, so of two that begin at once each writes its own object
before it looks for others: at least one of them sees the other and gives way. Times are those of
the store, so that the clocks of machines do not matter.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from pyarrow.fs import FileInfo, FileSelector

from social_assets.lake.storage.file_system import Storage
from social_assets.operate.disaster.manifest import BackupError

RENEWED_SECONDS = 30.0
LOST_AFTER = timedelta(minutes=5)
"""An object that was not renewed for so long belongs to a process that is gone."""

_FOLDER = "running"
_WRITES, _READS = "backup", "restore"


@dataclass
class BucketLease:
    """The object of this process."""

    storage: Storage
    url: str
    name: str
    _renewed: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Raise BackupError if it was not renewed in time: others may take it for gone."""
        if time.monotonic() - self._renewed > LOST_AFTER.total_seconds() / 2:
            raise BackupError(
                f"{self.url} did not take a sign of life for {LOST_AFTER.total_seconds() / 2:.0f} "
                "s, so another backup may have begun: see that the store answers, and give the "
                "command again"
            )

    def write(self) -> None:
        """Write it, or write it anew."""
        began = time.monotonic()
        with self.storage.files.open_output_stream(self._path) as target:
            target.write(b"in use\n")
        self._renewed = began

    def remove(self) -> None:
        """End it."""
        with suppress(OSError):
            self.storage.files.delete_file(self._path)

    @property
    def _path(self) -> str:
        return self.storage.path(f"{_FOLDER}/{self.name}")

    def others(self) -> list[FileInfo]:
        """The objects of other processes that still work; those of others are removed."""
        selector = FileSelector(self.storage.path(_FOLDER), allow_not_found=True)
        found = {each.base_name: each for each in self.storage.files.get_file_info(selector)}
        own = found.pop(self.name)
        living = []
        for each in found.values():
            if each.is_file and own.mtime - each.mtime < LOST_AFTER:
                living.append(each)
            elif each.is_file:
                self.storage.files.delete_file(each.path)
        return living


@contextmanager
def held_lease(storage: Storage, url: str, *, to_write: bool) -> Iterator[BucketLease]:
    """Hold the bucket for a backup, or for a restore. Raises BackupError if another one has it."""
    lease = BucketLease(storage, url, f"{_WRITES if to_write else _READS}-{uuid.uuid4().hex}")
    ended = threading.Event()
    try:
        lease.write()
        _check_alone(lease, to_write=to_write)
        renewing = threading.Thread(target=_renew, args=(lease, ended), daemon=True)
        renewing.start()
        try:
            yield lease
        finally:
            ended.set()
            renewing.join()
    finally:
        lease.remove()


def _check_alone(lease: BucketLease, *, to_write: bool) -> None:
    for each in lease.others():
        if to_write or each.base_name.startswith(_WRITES):
            what = each.base_name.partition("-")[0]
            raise BackupError(
                f"a {what} is using {lease.url} (last sign of life {each.mtime:%H:%M:%S} UTC); "
                "give the command again when it has ended. If it was killed, that is possible "
                f"{LOST_AFTER.total_seconds() / 60:.0f} minutes after this sign"
            )


def _renew(lease: BucketLease, ended: threading.Event) -> None:
    while not ended.wait(RENEWED_SECONDS):
        with suppress(OSError):  # `check` says if it fails for long
            lease.write()
