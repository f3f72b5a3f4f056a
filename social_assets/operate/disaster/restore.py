"""Restores a home from a backup, for the command `restore`.

Belongs here: copying and verifying into `<home>/.restoring`, then moving the parts into place. A
home with that folder is refused by all other commands. Killed, the same command goes on. ClickHouse
is not in a backup: `rebuild-warehouse` makes it anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.settings.lake_root import LAKE_URL
from resources.settings.private_home import make_private
from social_assets.lake.pinned.table_versions import table_versions
from social_assets.operate.disaster.backup_folder import (
    BackupFolder,
    StoredContent,
    opened_for_restore,
)
from social_assets.operate.disaster.manifest import BackedUpFile, Backup, BackupError
from social_assets.operate.disaster.postgres_dump import DUMPS, FOLDER, load

Say = Callable[[str], None]

_CHUNK = 4 << 20
_THREADS = 4
_FILES, _COMPLETE = "files", "complete"
"""In the folder of an unfinished restore: the parts of the home, and that all are verified."""
_FOREIGN = ("lost+found",)
"""What an empty file system may have."""


@dataclass(frozen=True)
class RestoredHome:
    """A home that was just restored."""

    backup: Backup
    home: Home
    seconds: float

    def as_json(self) -> dict[str, object]:
        """The result for programs."""
        return {
            "id": self.backup.id,
            "pinned_at": self.backup.pinned_at.isoformat(),
            "files": len(self.backup.files),
            "bytes": self.backup.bytes,
            "lacks_secret_key": self.backup.lacks_secret_key,
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        lines = [
            f"restored backup {self.backup.id} of {self.backup.home}: {len(self.backup.files):,} "
            f"files, {self.backup.bytes:,} bytes, all verified; {self.seconds:.1f} s",
            f"the lake is as of {self.backup.pinned_at:%Y-%m-%d %H:%M:%S} UTC",
        ]
        if self.backup.lacks_secret_key:
            lines.append(
                "control/secret.key was not in the backup: put your copy there, before anything "
                "stores a credential"
            )
        lines.append("next: social-assets rebuild-warehouse")
        return "\n".join(lines)


def restore(home: Home, url: str, say: Say, *, id_: str | None = None) -> RestoredHome:
    """Restore the latest backup, or the one with this id, into an empty home. Killed, the same
    call goes on.

    Raises BackupError if the home is not empty, or a content of the backup is damaged: the home is
    then as it was.
    """
    started = time.monotonic()
    with opened_for_restore(url) as folder:
        backup = folder.read(id_ or _latest(folder))
        _check_settings(backup)
        staging = home.restoring / backup.id
        _check_empty(home, staging)
        if not (staging / _COMPLETE).exists():
            _copy_all(home, folder, backup, staging, say)
    for part in sorted((staging / _FILES).iterdir()):
        part.rename(home.path / part.name)
    # In one step, after which the home may be used.
    over = home.path / ".restored"
    home.restoring.rename(over)
    shutil.rmtree(over)
    return RestoredHome(backup, home, time.monotonic() - started)


def _check_settings(backup: Backup) -> None:
    """Raise BackupError unless the settings name the stores that the backup has, and no others."""
    if os.environ.get(LAKE_URL) and not backup.lake_url:
        raise BackupError(
            f"{LAKE_URL} is set, and a restore puts the lake into the home: unset it, restore, and "
            "move the lake"
        )
    if backup.lake_url:
        _check_lake(backup, os.environ.get(LAKE_URL))
    paths = {each.path for each in backup.files}
    for variable, path in DUMPS.items():
        if path in paths and not os.environ.get(variable):
            raise BackupError(
                f"the backup {backup.id} has a database of PostgreSQL, {path}: set {variable} to "
                "the URL of an empty one"
            )
        if path not in paths and os.environ.get(variable):
            raise BackupError(
                f"{variable} is set, and the backup {backup.id} has that store as files of the "
                "home: unset it, and restore"
            )


def _check_lake(backup: Backup, root: str | None) -> None:
    """Raise BackupError unless the named lake has all that the rest of the backup speaks of."""
    if not root:
        raise BackupError(
            f"the lake of the backup {backup.id} is {backup.lake_url}: set {LAKE_URL} to it, or to "
            "its replica"
        )
    found = table_versions(root)
    for name, version in sorted(backup.tables.items()):
        if found.get(name, -1) < version:
            has = f"version {found[name]}" if name in found else "no table"
            raise BackupError(
                f"the lake {root} is older than the backup {backup.id}: of {name} it has {has}, "
                f"and the backup was made at version {version}. What lies between would be lost "
                "without a trace: bring the bucket up to date, or restore an earlier backup with "
                "--backup"
            )


def _check_empty(home: Home, staging: Path) -> None:
    """Raise BackupError unless the home is empty, or has this restore unfinished."""
    if home.path.exists() and not home.path.is_dir():
        raise BackupError(f"the home {home.path} is a file; name a folder with --home")
    found = {each.name for each in home.path.iterdir()} if home.path.exists() else set()
    begun = {each.name for each in home.restoring.iterdir()} if home.restoring.exists() else set()
    if other := begun - {staging.name}:
        raise BackupError(
            f"the home {home.path} has an unfinished restore of the backup {min(other)}; finish it "
            f"with --backup {min(other)}, or remove {home.path} and restore anew"
        )
    is_moving = (staging / _COMPLETE).exists()
    if not is_moving and (others := sorted(found - {home.restoring.name, *_FOREIGN})):
        raise BackupError(
            f"the home {home.path} is not empty: it has {', '.join(others[:5])}. A restore "
            "overwrites nothing: move that folder away, or name another one with --home or "
            f"{ENVIRONMENT_VARIABLE}"
        )


def _copy_all(home: Home, folder: BackupFolder, backup: Backup, staging: Path, say: Say) -> None:
    make_private(home)
    (staging / _FILES).mkdir(mode=0o700, parents=True, exist_ok=True)
    say(f"copying and verifying {len(backup.files):,} files")
    try:
        with ThreadPoolExecutor(_THREADS) as threads:
            for _ in threads.map(
                lambda each: _copy(folder, backup, each, staging / _FILES), backup.files
            ):
                pass
        for variable, path in DUMPS.items():
            if (staging / _FILES / path).exists():
                say(f"restoring {path}")
                load(variable, staging / _FILES / path)
    except BackupError:
        shutil.rmtree(home.restoring)
        raise
    shutil.rmtree(staging / _FILES / FOLDER, ignore_errors=True)
    os.sync()
    (staging / _COMPLETE).touch()


def _latest(folder: BackupFolder) -> str:
    ids = folder.ids()
    if not ids:
        raise BackupError(
            f"{folder.place.url} has no complete backup: none was ever finished there"
        )
    return ids[-1]


def _copy(folder: BackupFolder, backup: Backup, file: BackedUpFile, files: Path) -> None:
    """Copy a file and verify it. One that is there was verified by a call that was killed."""
    target = files / file.path
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.restoring")
    content = StoredContent(file.sha256, file.size)
    digest = hashlib.sha256()
    try:
        with folder.opened(content) as source, unfinished.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
    except FileNotFoundError as error:
        raise BackupError(_damaged(folder, backup, file, "is missing")) from error
    if digest.hexdigest() != file.sha256:
        raise BackupError(_damaged(folder, backup, file, "is damaged"))
    unfinished.chmod(0o600)
    unfinished.rename(target)


def _damaged(folder: BackupFolder, backup: Backup, file: BackedUpFile, how: str) -> str:
    place = folder.place.where(StoredContent(file.sha256, file.size).name)
    whole = [id_ for id_ in folder.ids() if id_ != backup.id and _lacks(folder, id_, file)]
    remedy = (
        f"restore with --backup {whole[-1]}, which does not have this content"
        if whole
        else "bring that file back from a copy of the folder"
    )
    return (
        f"{file.path} of the backup {backup.id} {how}: {place}. Nothing was restored: {remedy}. If "
        "the home still lives, remove that file and give `social-assets backup` again"
    )


def _lacks(folder: BackupFolder, id_: str, file: BackedUpFile) -> bool:
    try:
        return all(each.sha256 != file.sha256 for each in folder.read(id_).files)
    except BackupError:
        return False
