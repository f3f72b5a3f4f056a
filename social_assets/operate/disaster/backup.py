"""Makes a backup of a home while it is in use, for the command `backup`.

Belongs here: the order of the copies, and what an earlier backup saves. The other stores come
before the lake: see `home_files`. The versions of all tables of the lake are of one instant. Then
their files are copied, of which an earlier backup has most. The manifest comes last.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from resources.settings.home import Home
from resources.settings.lake_root import lake_root
from social_assets.control.secrets.secret_keys import KeySource
from social_assets.lake.pinned.pinned_tables import PinnedFileGoneError, pinned_tables
from social_assets.lake.pinned.table_versions import table_versions
from social_assets.operate.disaster.backup_folder import (
    BackupFolder,
    StoredContent,
    folder_of,
    opened_for_backup,
)
from social_assets.operate.disaster.home_files import HomeFile, home_files
from social_assets.operate.disaster.manifest import BackedUpFile, Backup, BackupError
from social_assets.operate.disaster.postgres_dump import DUMPS, dump

Say = Callable[[str], None]

_REST_SECONDS = 2.0
"""A file may change once more within the resolution of its time; after so long it would show."""

_TRIES = 3
_PINNINGS = 5
_THREADS = 4


@dataclass(frozen=True)
class MadeBackup:
    """A backup that was just made; `removed` are those that it replaced."""

    backup: Backup
    place: str
    removed: Sequence[str]
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return {
            "id": self.backup.id,
            "files": len(self.backup.files),
            "bytes": self.backup.bytes,
            "copied_files": self.backup.copied_files,
            "copied_bytes": self.backup.copied_bytes,
            "tables": len(self.backup.tables),
            "lake_url": self.backup.lake_url,
            "left_out": list(self.backup.left_out),
            "lacks_secret_key": self.backup.lacks_secret_key,
            "removed": list(self.removed),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        made = self.backup
        lines = [
            f"backup {made.id} in {self.place}: {len(made.files):,} files, {made.bytes:,} bytes, "
            f"of which {made.copied_bytes:,} were copied; {self.seconds:.1f} s"
        ]
        if self.removed:
            lines.append(f"removed: {', '.join(self.removed)}")
        lines += [f"left out, since it changes: {each}" for each in made.left_out]
        if made.lake_url:
            lines.append(
                f"the lake {made.lake_url} is not in it: its bucket must keep it, by versions and "
                "replication"
            )
        if made.lacks_secret_key:
            lines.append(
                "control/secret.key is not in it, and stored credentials can't be read without it: "
                "keep a copy in another place"
            )
        return "\n".join(lines)


def make_backup(
    home: Home, url: str, say: Say, *, keep: int | None = None, with_secret_key: bool = False
) -> MadeBackup:
    """Copy all that a home needs after a loss; the home may be in use.

    Killed at any point, it leaves earlier backups as they are, and the next one uses what was
    copied. `keep` is how many backups of this home remain, with this one. Raises BackupError;
    OSError for a full disk.
    """
    started = time.monotonic()
    _check_places(home, folder_of(url))
    root = lake_root(home)
    with opened_for_backup(url, home.path / "spill") as folder:
        earlier = _latest_of(home, folder)
        copies = _Copies(folder, earlier)
        began_at = datetime.now(UTC)
        say("copying what is not in the lake")
        dumps = copies.of_databases()
        files, left_out = copies.of_home(home_files(home, with_secret_key=with_secret_key))
        tables, pinned_at, of_lake = _lake(root, copies, say)
        backup = Backup(
            id=began_at.strftime("%Y%m%dT%H%M%S.%fZ"),
            home=str(home.path),
            host=socket.gethostname(),
            release=version("social-assets"),
            began_at=began_at,
            pinned_at=pinned_at,
            ended_at=datetime.now(UTC),
            tables=tables,
            lake_url=root if "://" in root else "",
            left_out=left_out,
            lacks_secret_key=KeySource(home).file.exists() and not with_secret_key,
            files=[*dumps, *files, *of_lake],
            copied_files=copies.files,
            copied_bytes=copies.bytes,
        )
        say("flushing")
        folder.write(backup)
        removed = set() if keep is None else _too_many(home, folder, keep)
        if removed:
            folder.remove(removed)
    return MadeBackup(backup, folder.place.url, sorted(removed), time.monotonic() - started)


def _check_places(home: Home, target: Path | None) -> None:
    if target is None:
        return  # a bucket
    if target.is_relative_to(home.path) or home.path.is_relative_to(target):
        raise BackupError(
            f"{target} and the home {home.path} lie in one another: they would be lost together; "
            "name a folder on another disk"
        )


class _Copies:
    """Puts files into the folder, and counts those that no earlier backup has as they are."""

    def __init__(self, folder: BackupFolder, earlier: Backup | None) -> None:
        self._folder = folder
        self._known = {each.path: each for each in earlier.files} if earlier else {}
        self.files = 0
        self.bytes = 0

    def of_databases(self) -> list[BackedUpFile]:
        """Dumps of the stores that are databases of PostgreSQL."""
        done: list[BackedUpFile] = []
        for variable, path in DUMPS.items():
            if os.environ.get(variable):
                content = self._folder.put_made(partial(dump, variable))
                done.append(BackedUpFile(path, content.size, content.sha256))
        self.files += len(done)
        self.bytes += sum(each.size for each in done)
        return done

    def of_home(self, files: Iterable[HomeFile]) -> tuple[list[BackedUpFile], list[str]]:
        """Copy the files, in their order; also returns the paths that changed all the time."""
        done: list[BackedUpFile] = []
        left_out: list[str] = []
        for each in files:
            try:
                done.append(self.take(each.path, each.file, is_database=each.is_database))
            except FileNotFoundError:
                if each.file.exists():
                    raise
            except _FileChangesError:
                left_out.append(each.path)
        return done, left_out

    def take(self, path: str, file: Path, *, is_database: bool = False) -> BackedUpFile:
        """A file of the backup, copied if it must be.

        Raises _FileChangesError if it is written meanwhile, FileNotFoundError if it is gone.
        """
        for _ in range(_TRIES):
            began, before = time.time_ns(), _sign(file)
            known = self._known.get(path)
            if known and known.sign == str(before) and self._folder.has(_content(known)):
                return known
            has_copied = self._folder.put_database if is_database else self._folder.put
            content = has_copied(file)
            # A database is copied as of one instant, however it changes.
            if is_database or _sign(file) == before:
                break
        else:
            raise _FileChangesError(path)
        self.files += 1
        self.bytes += content.size
        has_rested = before.changed_at < began - _REST_SECONDS * 1e9
        sign = str(before) if has_rested else ""
        found = BackedUpFile(path, content.size, content.sha256, sign)
        self._known[path] = found
        return found


class _FileChangesError(RuntimeError):
    """A file was written during every attempt to copy it."""


def _lake(
    root: str, copies: _Copies, say: Say
) -> tuple[Mapping[str, int], datetime, list[BackedUpFile]]:
    """The versions of the tables at one instant, when that was, and their files.

    A lake in an object store is not copied: its versions say what it must have at least.
    """
    if "://" in root:
        return table_versions(root), datetime.now(UTC), []
    lake = Path(root)
    for number in range(_PINNINGS):
        tables = pinned_tables(lake)
        pinned_at = datetime.now(UTC)
        try:
            # The logs first, of which maintenance deletes the oldest files within minutes.
            logs = [_take(copies, lake, file) for each in tables for file in each.log_files()]
            data = {file: size for each in tables for file, size in each.data_files().items()}
            say(f"copying {len(data):,} files of {len(tables)} tables of the lake")
            with ThreadPoolExecutor(_THREADS) as threads:
                found = threads.map(lambda each: _take(copies, lake, *each), data.items())
                versions = {each.name: each.version for each in tables}
                return versions, pinned_at, [*logs, *found]
        except PinnedFileGoneError as error:
            if number == _PINNINGS - 1:
                raise BackupError(
                    f"the lake {lake} lacks a file that one of its tables names: {error}; "
                    "bring it back, or restore an earlier backup"
                ) from error
    raise AssertionError("unreachable")


def _take(copies: _Copies, lake: Path, file: Path, size: int | None = None) -> BackedUpFile:
    path = f"lake/{file.relative_to(lake)}"
    try:
        found = copies.take(path, file)
    except (FileNotFoundError, _FileChangesError) as error:
        raise PinnedFileGoneError(str(file)) from error
    if size is not None and found.size != size:
        raise BackupError(
            f"{file} has {found.size} bytes, and its table's log says {size}: it is damaged. "
            "No backup was made; `social-assets backfill` makes a day of cleaned anew from raw"
        )
    return found


def _latest_of(home: Home, folder: BackupFolder) -> Backup | None:
    """The latest backup of this home, whose signs hold for its files."""
    for id_ in reversed(folder.ids()):
        try:
            found = folder.read(id_)
        except BackupError:
            continue  # damaged: it saves nothing
        if found.home == str(home.path):
            return found
    return None


def _too_many(home: Home, folder: BackupFolder, keep: int) -> set[str]:
    own = [id_ for id_ in folder.ids() if folder.read(id_).home == str(home.path)]
    return set(own[:-keep])


def _content(file: BackedUpFile) -> StoredContent:
    return StoredContent(file.sha256, file.size)


@dataclass(frozen=True)
class _Sign:
    """What tells a changed file from an unchanged one, without reading it."""

    text: str
    changed_at: int

    def __str__(self) -> str:
        return self.text


def _sign(file: Path) -> _Sign:
    """That of a file, and of what SQLite has not yet moved into it."""
    found = [file.stat()]
    with suppress(FileNotFoundError):
        found.append(file.with_name(f"{file.name}-wal").stat())
    text = "/".join(f"{each.st_size}:{each.st_mtime_ns}:{each.st_ino}" for each in found)
    return _Sign(text, max(each.st_mtime_ns for each in found))
