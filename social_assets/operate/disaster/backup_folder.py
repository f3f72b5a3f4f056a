"""The folder that backups are kept in: contents by their SHA-256, and a manifest for each backup.

    social-assets-backups.json     that the folder is one, and its format
    backups/<id>                   manifests; one appears whole, and makes its backup exist
    objects/<2 hex>/<SHA-256>      contents, each once for all backups; never changed
    unfinished/                    what is being written

Belongs here: reading and writing this layout. Killed at any point, every manifest that is there has
all its contents. One backup at a time writes; all files are for this user alone.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from social_assets.operate.disaster.manifest import FORMAT, Backup, BackupError, read_manifest

MARKER = "social-assets-backups.json"

_CHUNK = 4 << 20
_SQLITE_SECONDS = 60
_FLUSHING_THREADS = 16


@dataclass(frozen=True)
class StoredContent:
    """Bytes that the folder has, by their SHA-256."""

    sha256: str
    size: int


@dataclass
class BackupFolder:
    """A folder of backups. Open it by `opened_for_backup` or `opened_for_restore`."""

    path: Path
    _present: dict[str, int] = field(default_factory=dict)
    _new: list[Path] = field(default_factory=list)

    def has(self, content: StoredContent) -> bool:
        """Whether the folder has these bytes, by name and size."""
        return self._present.get(content.sha256) == content.size

    def put(self, file: Path) -> StoredContent:
        """Copy a file's bytes into the folder, unless it has them. Does not flush them."""
        with file.open("rb") as source, self._unfinished() as target:
            content = _copied(source.fileno(), target)
            self._keep(target, content)
        return content

    def put_database(self, file: Path) -> StoredContent:
        """Copy a database of SQLite by its own means, as it is at one instant, while others write.

        Raises FileNotFoundError if it is gone, OSError if the folder's disk is full.
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

    def place(self, content: StoredContent) -> Path:
        """Where the bytes are."""
        return self.path / "objects" / content.sha256[:2] / content.sha256

    def write(self, backup: Backup) -> None:
        """Flush all contents, then write the manifest: from now on, the backup exists."""
        with ThreadPoolExecutor(_FLUSHING_THREADS) as threads:
            list(threads.map(_flush, self._new))
        for folder in {each.parent for each in self._new}:
            _flush(folder)
        _flush(self.path / "objects")
        with self._unfinished() as target:
            target.write_text(backup.text())
            _flush(target)
            target.rename(self.path / "backups" / backup.id)
        _flush(self.path / "backups")

    def ids(self) -> list[str]:
        """The backups that exist, oldest first."""
        folder = self.path / "backups"
        return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []

    def read(self, id_: str) -> Backup:
        """A backup by its id. Raises BackupError."""
        file = self.path / "backups" / id_
        if id_ not in self.ids():
            raise BackupError(
                f"{self.path} has no backup {id_!r}; `social-assets backups --from {self.path}` "
                "lists what it has"
            )
        return read_manifest(str(file), file.read_text())

    def remove(self, ids: Set[str]) -> int:
        """Remove backups, and the contents that no other one names; returns the bytes freed.

        Raises BackupError, and removes nothing, if another manifest can't be read.
        """
        named = {
            each.sha256 for id_ in self.ids() if id_ not in ids for each in self.read(id_).files
        }
        for id_ in ids:
            (self.path / "backups" / id_).unlink()
        _flush(self.path / "backups")
        freed = 0
        for sha256 in [each for each in self._present if each not in named]:
            freed += self._present.pop(sha256)
            self.place(StoredContent(sha256, 0)).unlink()
        return freed

    def mark(self) -> None:
        """Make it a folder of backups, unless it is one."""
        if not (self.path / MARKER).exists():
            with self._unfinished() as target:
                target.write_text(json.dumps({"format": FORMAT}) + "\n")
                target.rename(self.path / MARKER)

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(dir=self.path / "unfinished")
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _keep(self, file: Path, content: StoredContent) -> None:
        if self.has(content):
            return
        place = self.place(content)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        file.rename(place)
        self._present[content.sha256] = content.size
        self._new.append(place)


@contextmanager
def opened_for_backup(url: str) -> Iterator[BackupFolder]:
    """The folder, made if there is none, for one backup at a time. Raises BackupError."""
    path = folder_of(url)
    # A first backup that was killed may have left no more than these.
    begun = {"lock", "unfinished", "objects", "backups"}
    if path.exists() and (not path.is_dir() or {each.name for each in path.iterdir()} - begun):
        _check_marker(path)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupError(
                f"another backup into {path}, or a restore from it, is running; give the command "
                "again when it has ended"
            ) from error
        shutil.rmtree(path / "unfinished", ignore_errors=True)
        for name in ("unfinished", "objects", "backups"):
            (path / name).mkdir(mode=0o700, exist_ok=True)
        folder = BackupFolder(path, _present(path / "objects"))
        folder.mark()
        yield folder


@contextmanager
def opened_for_restore(url: str) -> Iterator[BackupFolder]:
    """The folder, from which nothing is removed meanwhile. Raises BackupError."""
    folder = listed_folder(url)
    with ExitStack() as opened:
        with suppress(FileNotFoundError):  # a copy of the folder may lack it
            lock = opened.enter_context((folder.path / "lock").open("r"))
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(
                    f"a backup into {folder.path} is running; give the command again when it has "
                    "ended"
                ) from error
        yield folder


def listed_folder(url: str) -> BackupFolder:
    """The folder, to read manifests of. Raises BackupError."""
    path = folder_of(url)
    _check_marker(path)
    return BackupFolder(path)


def folder_of(url: str) -> Path:
    """The folder that a path or a file:// URL names. Raises BackupError."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        return Path(url).expanduser().resolve()
    parts = urlsplit(url)
    if scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise BackupError(
            f"a backup can't be kept at a URL with {scheme}://; name a folder, or file:///folder, "
            "and copy that folder to the other store"
        )
    return Path(unquote(parts.path)).resolve()


def _check_marker(path: Path) -> None:
    try:
        form = json.loads((path / MARKER).read_text())["format"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BackupError(
            f"{path} {'has no backups' if path.exists() else 'does not exist'} (no {MARKER} in "
            "it); name a folder that `social-assets backup` has made, or for a first backup an "
            "empty one"
        ) from error
    if form != FORMAT:
        raise BackupError(f"{path} has backups of format {form}; this release reads {FORMAT}")


def _present(objects: Path) -> dict[str, int]:
    """The sizes of all contents, by their SHA-256."""
    found: dict[str, int] = {}
    for folder in os.scandir(objects):
        found |= {each.name: each.stat().st_size for each in os.scandir(folder.path)}
    return found


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


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
