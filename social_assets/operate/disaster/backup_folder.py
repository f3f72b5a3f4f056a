"""The layout in which backups are kept: contents by their SHA-256, and a manifest for each backup.

    social-assets-backups.json     that the folder or bucket is one, and its format
    backups/<id>                   manifests; one appears whole, and makes its backup exist
    objects/<2 hex>/<SHA-256>      contents, each once for all backups; never changed

Belongs here: reading and writing this layout, in a folder or a bucket (`places`). Killed at any
point, every manifest that is there has all its contents. One backup at a time writes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Set
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from resources.settings.secret_urls import check_lake_url
from social_assets.operate.disaster.manifest import FORMAT, Backup, BackupError, read_manifest
from social_assets.operate.disaster.places.folder import FolderPlace
from social_assets.operate.disaster.places.place import BackupPlace

MARKER = "social-assets-backups.json"

_S3 = ("s3", "s3a")
_CHUNK = 4 << 20
_SQLITE_SECONDS = 60


@dataclass(frozen=True)
class StoredContent:
    """Bytes that are kept, by their SHA-256."""

    sha256: str
    size: int

    @property
    def name(self) -> str:
        """Where the bytes are."""
        return f"objects/{self.sha256[:2]}/{self.sha256}"


@dataclass
class BackupFolder:
    """A folder or bucket of backups. Open it by `opened_for_backup` or `opened_for_restore`."""

    place: BackupPlace
    _present: dict[str, int] = field(default_factory=dict)

    def has(self, content: StoredContent) -> bool:
        """Whether it has these bytes, by name and size."""
        return self._present.get(content.sha256) == content.size

    def put(self, file: Path) -> StoredContent:
        """Copy a file's bytes, unless it has them. Does not flush them."""
        with file.open("rb") as source, self._unfinished() as target:
            content = _copied(source.fileno(), target)
            self._keep(target, content)
        return content

    def put_database(self, file: Path) -> StoredContent:
        """Copy a database of SQLite by its own means, as it is at one instant, while others write.

        Raises FileNotFoundError if it is gone, OSError if the disk of the copy is full.
        """
        with self._unfinished() as target:
            try:
                _copy_database(file, target)
            except sqlite3.OperationalError as error:
                if not file.exists():
                    raise FileNotFoundError(errno.ENOENT, "it is gone", str(file)) from error
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                    raise
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
            with target.open("rb") as copied:
                content = _hashed(copied.fileno())
            self._keep(target, content)
        return content

    def put_made(self, make: Callable[[Path], None]) -> StoredContent:
        """Keep what a function writes to a file."""
        with self._unfinished() as target:
            make(target)
            with target.open("rb") as made:
                content = _hashed(made.fileno())
            self._keep(target, content)
        return content

    def opened(self, content: StoredContent) -> AbstractContextManager[BinaryIO]:
        """The bytes, to read. Raises FileNotFoundError."""
        return self.place.opened(content.name)

    def write(self, backup: Backup) -> None:
        """Flush all contents, then write the manifest: from now on, the backup exists."""
        self.place.flush()
        self.place.check_held()
        self._write_text(f"backups/{backup.id}", backup.text())

    def ids(self) -> list[str]:
        """The backups that exist, oldest first."""
        return sorted(self.place.sizes("backups"))

    def read(self, id_: str) -> Backup:
        """A backup by its id. Raises BackupError."""
        if id_ not in self.ids():
            raise BackupError(
                f"{self.place.url} has no backup {id_!r}; `social-assets backups --from "
                f"{self.place.url}` lists what it has"
            )
        name = f"backups/{id_}"
        with self.place.opened(name) as manifest:
            return read_manifest(self.place.where(name), manifest.read().decode())

    def remove(self, ids: Set[str]) -> int:
        """Remove backups, and the contents that no other one names; returns the bytes freed.

        Raises BackupError, and removes nothing, if another manifest can't be read.
        """
        named = {
            each.sha256 for id_ in self.ids() if id_ not in ids for each in self.read(id_).files
        }
        self.place.remove([f"backups/{id_}" for id_ in sorted(ids)])
        unused = {sha256: size for sha256, size in self._present.items() if sha256 not in named}
        self.place.remove([StoredContent(*each).name for each in unused.items()])
        for sha256 in unused:
            del self._present[sha256]
        return sum(unused.values())

    def check_marker(self) -> None:
        """Raise BackupError unless it is a folder of backups, of this format."""
        try:
            with self.place.opened(MARKER) as marker:
                form = json.loads(marker.read())["format"]
        except (FileNotFoundError, NotADirectoryError) as error:
            state = "has no backups" if self.place.names() else "does not exist, or is empty"
            raise BackupError(
                f"{self.place.url} {state} (no {MARKER} in it); name what `social-assets backup` "
                "has made, or for a first backup an empty folder or bucket"
            ) from error
        if form != FORMAT:
            raise BackupError(
                f"{self.place.url} has backups of format {form}; this release reads {FORMAT}"
            )

    def begin(self) -> None:
        """Make it a folder of backups, unless it is one, and see which contents it has."""
        if MARKER not in self.place.names():
            self._write_text(MARKER, json.dumps({"format": FORMAT}) + "\n")
        self._present = dict(self.place.sizes("objects"))

    def _write_text(self, name: str, text: str) -> None:
        with self._unfinished() as target:
            target.write_text(text)
            self.place.move_in(target, name, is_last=True)

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(dir=self.place.unfinished)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _keep(self, file: Path, content: StoredContent) -> None:
        if self.has(content):
            return
        self.place.move_in(file, content.name)
        self._present[content.sha256] = content.size


@contextmanager
def opened_for_backup(url: str, spool: Path) -> Iterator[BackupFolder]:
    """The folder, made if there is none, or the bucket, for one backup at a time.

    `spool` is a folder of the home for files on their way to a bucket. Raises BackupError.
    """
    with _place(url, spool) as place:
        folder = BackupFolder(place)
        # A first backup that was killed may have left no more than these.
        if place.names() - {"lock", "unfinished", "running", "objects", "backups"}:
            folder.check_marker()
        with place.held(to_write=True):
            folder.begin()
            yield folder


@contextmanager
def opened_for_restore(url: str) -> Iterator[BackupFolder]:
    """The folder or bucket, from which nothing is removed meanwhile. Raises BackupError."""
    with listed_folder(url) as folder, folder.place.held(to_write=False):
        yield folder


@contextmanager
def listed_folder(url: str) -> Iterator[BackupFolder]:
    """The folder or bucket, to read manifests of. Raises BackupError."""
    with _place(url) as place:
        folder = BackupFolder(place)
        folder.check_marker()
        yield folder


def folder_of(url: str) -> Path | None:
    """The folder that a path or a file:// URL names; None for a bucket. Raises BackupError."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        return Path(url).expanduser().resolve()
    if scheme in _S3:
        check_lake_url("the URL of backups", url)
        return None
    parts = urlsplit(url)
    if scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise BackupError(
            f"a backup can't be kept at a URL with {scheme}://; name a folder, file:///folder, or "
            "s3://bucket/backups, and copy that folder to the other store"
        )
    return Path(unquote(parts.path)).resolve()


@contextmanager
def _place(url: str, spool: Path | None = None) -> Iterator[BackupPlace]:
    if (path := folder_of(url)) is not None:
        yield FolderPlace(path)
        return
    from social_assets.operate.disaster.places.bucket import bucket_place

    with bucket_place(url, spool) as bucket:
        yield bucket


def _copy_database(file: Path, target: Path) -> None:
    address = f"{file.as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=_SQLITE_SECONDS)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _copied(source: int, target: Path) -> StoredContent:
    digest, size = hashlib.sha256(), 0
    with target.open("wb", buffering=0) as copy:
        while chunk := os.read(source, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
            _write(copy.fileno(), chunk, target)
    return StoredContent(digest.hexdigest(), size)


def _write(file: int, chunk: bytes, target: Path) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error


def _hashed(file: int) -> StoredContent:
    digest, size = hashlib.sha256(), 0
    while chunk := os.read(file, _CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return StoredContent(digest.hexdigest(), size)
