"""A folder of this machine that keeps backups.

Belongs here: moving, flushing, and the lock that one backup at a time holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from social_assets.operate.disaster.manifest import BackupError

_FLUSHING_THREADS = 16


@dataclass
class FolderPlace:
    """A `BackupPlace` on a disk. All its files are for this user alone."""

    path: Path
    _new: list[Path] = field(default_factory=list)

    @property
    def url(self) -> str:  # noqa: D102 - as declared
        return str(self.path)

    @property
    def unfinished(self) -> Path:  # noqa: D102
        return self.path / "unfinished"

    def names(self) -> set[str]:  # noqa: D102
        if not self.path.exists():
            return set()
        return {each.name for each in self.path.iterdir()} if self.path.is_dir() else {""}

    def sizes(self, below: str) -> dict[str, int]:  # noqa: D102
        found: dict[str, int] = {}
        if (self.path / below).is_dir():
            for each in os.scandir(self.path / below):
                if each.is_dir():
                    found |= self.sizes(f"{below}/{each.name}")
                else:
                    found[each.name] = each.stat().st_size
        return found

    def move_in(self, file: Path, name: str, *, is_last: bool = False) -> None:  # noqa: D102
        place = self.path / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        if is_last:
            _flush(file)
        file.rename(place)
        if is_last:
            _flush(place.parent)
        else:
            self._new.append(place)

    def flush(self) -> None:  # noqa: D102
        with ThreadPoolExecutor(_FLUSHING_THREADS) as threads:
            list(threads.map(_flush, self._new))
        folders = {each.parent for each in self._new}
        for folder in folders | {each.parent for each in folders}:
            _flush(folder)
        self._new.clear()

    def opened(self, name: str) -> BinaryIO:  # noqa: D102
        return (self.path / name).open("rb")

    def remove(self, names: Iterable[str]) -> None:  # noqa: D102
        removed = [self.path / name for name in names]
        for each in removed:
            each.unlink()
        for folder in {each.parent for each in removed}:
            _flush(folder)

    def where(self, name: str) -> str:  # noqa: D102
        return str(self.path / name)

    def check_held(self) -> None:
        """The lock of a process ends with it, and no earlier."""

    def held(self, *, to_write: bool) -> AbstractContextManager[None]:  # noqa: D102
        return self._held_to_write() if to_write else self._held_to_read()

    @contextmanager
    def _held_to_write(self) -> Iterator[None]:
        """It is made if there is none."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupError(
                    f"another backup into {self.path}, or a restore from it, is running; give the "
                    "command again when it has ended"
                ) from error
            shutil.rmtree(self.unfinished, ignore_errors=True)
            for name in ("unfinished", "objects", "backups"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            yield

    @contextmanager
    def _held_to_read(self) -> Iterator[None]:
        with ExitStack() as opened:
            with suppress(FileNotFoundError):  # a copy of the folder may lack it
                lock = opened.enter_context((self.path / "lock").open("r"))
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise BackupError(
                        f"a backup into {self.path} is running; give the command again when it has "
                        "ended"
                    ) from error
            yield


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
