"""A bucket, or a part of one, that keeps backups.

Belongs here: reading and writing objects of S3 by Arrow's client, whose credentials are found as
AWS's own tools find them. An object appears when its upload is complete; an upload that was killed
leaves parts, which a lifecycle rule of the bucket removes.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from social_assets.lake.storage.errors import store_errors
from social_assets.lake.storage.file_system import Storage, files_below, storage_of
from social_assets.operate.disaster.places.lease import BucketLease, held_lease

_CHUNK = 8 << 20
_PREFIX = "backup-"
_READ_ATTEMPTS = 5
_KILLED_SECONDS = 86_400


@dataclass
class BucketPlace:
    """A `BackupPlace` in an object store. Its user must let nobody else read the bucket."""

    url: str
    storage: Storage
    unfinished: Path
    lease: BucketLease | None = None

    def names(self) -> set[str]:  # noqa: D102 - as declared
        with self._errors():
            found = files_below(self.storage.files, self.storage.path("").rstrip("/"))
        return {each.base_name for each in found}

    def sizes(self, below: str) -> dict[str, int]:  # noqa: D102
        with self._errors():
            found = files_below(self.storage.files, self.storage.path(below), recursive=True)
        return {each.base_name: each.size for each in found if each.is_file}

    def move_in(self, file: Path, name: str, *, is_last: bool = False) -> None:  # noqa: D102
        del is_last  # an object that was answered for stays
        with (
            self._errors(),
            file.open("rb") as source,
            self.storage.files.open_output_stream(self.storage.path(name)) as target,
        ):
            shutil.copyfileobj(source, target, _CHUNK)
        file.unlink()

    def flush(self) -> None:
        """An object that was answered for stays."""

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        with self._errors(), _Reader(self.storage, self.storage.path(name)) as source:
            yield cast("BinaryIO", source)

    def remove(self, names: Iterable[str]) -> None:  # noqa: D102
        for name in names:
            self.check_held()
            with self._errors():
                self.storage.files.delete_file(self.storage.path(name))

    def where(self, name: str) -> str:  # noqa: D102
        return f"{self.url}/{name}"

    def check_held(self) -> None:  # noqa: D102
        if self.lease is not None:
            self.lease.check()

    @contextmanager
    def held(self, *, to_write: bool) -> Iterator[None]:
        """Hold the bucket: for one backup alone, or for restores. Raises BackupError."""
        with ExitStack() as held:
            with self._errors():
                self.lease = held.enter_context(
                    held_lease(self.storage, self.url, to_write=to_write)
                )
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with store_errors(f"the backups in {self.url}", "the URL"):
            yield


class _Reader:
    """An object that is read once, in parts.

    Arrow's client repeats requests, but not the reading of an answer that ends before its end.
    """

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage = storage
        self._path = path
        self._stream = storage.files.open_input_stream(path)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all of them if no size is given; none at the end."""
        for attempt in range(_READ_ATTEMPTS):
            try:
                if attempt:
                    self._stream.close()
                    self._stream = self._storage.files.open_input_file(self._path)
                    self._stream.seek(self._at)
                found = bytes(self._stream.read(None if size < 0 else size))
                break
            except OSError:
                if attempt == _READ_ATTEMPTS - 1:
                    raise
        self._at += len(found)
        return found

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


@contextmanager
def bucket_place(url: str, spool: Path | None = None) -> Iterator[BucketPlace]:
    """The bucket of a URL; what is being written is in a folder below `spool` meanwhile."""
    if spool is not None:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_of_killed(spool)
    with TemporaryDirectory(prefix=_PREFIX, dir=spool) as unfinished:
        yield BucketPlace(url.rstrip("/"), storage_of(url, {}), Path(unfinished))


def _remove_of_killed(spool: Path) -> None:
    """Remove the folders of backups that were killed more than a day ago."""
    for each in spool.glob(f"{_PREFIX}*"):
        if time.time() - each.stat().st_mtime > _KILLED_SECONDS:
            shutil.rmtree(each, ignore_errors=True)
