"""The tables of a lake as they are at one instant: a version of each, and the files that it names.

Belongs here: finding the instant without a lock, while writers go on, and listing files. Files of
Delta are never changed, so a version can be copied after the instant: its data files stay for
GIVEN_UP_KEPT_HOURS after they are unused, its log for some minutes. Only for a lake in a folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

_LOG = "_delta_log"
_LOG_FILE = re.compile(r"(\d{20})(?:\.json|\.checkpoint(?:\.\d{10}\.\d{10})?\.parquet)")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
_MOST_TRIES = 1000


class PinnedFileGoneError(RuntimeError):
    """A file of a pinned version is no longer there: the caller pins again."""


class LakeNeverStillError(RuntimeError):
    """Tables changed during every attempt to read their versions."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"the tables of the lake {root} changed {_MOST_TRIES} times while their versions were "
            "read; give the same command again when fewer loads run"
        )


@dataclass(frozen=True)
class PinnedTable:
    """A table at one version; `name` is its folder below the lake's root."""

    root: Path
    name: str
    version: int

    def log_files(self) -> list[Path]:
        """The files of the log that are enough to open this version: a checkpoint and what follows.

        Raises PinnedFileGoneError.
        """
        names = _names(self.root / self.name / _LOG)
        checkpoints = [int(m[1]) for each in names if (m := _CHECKPOINT.fullmatch(each))]
        first = max((n for n in checkpoints if n <= self.version), default=0)
        found = sorted(
            each
            for each in names
            if (m := _LOG_FILE.fullmatch(each)) and first <= int(m[1]) <= self.version
        )
        if not checkpoints and not any(int(each[:20]) == 0 for each in found):
            raise PinnedFileGoneError(f"{self.root / self.name}: the log of version {self.version}")
        return [self.root / self.name / _LOG / each for each in found]

    def data_files(self) -> dict[Path, int]:
        """The data files of this version, with their bytes. Raises PinnedFileGoneError."""
        try:
            table = DeltaTable(str(self.root / self.name), version=self.version)
            actions = pa.table(table.get_add_actions(flatten=True))
        except (DeltaError, OSError) as error:
            raise PinnedFileGoneError(f"{self.root / self.name}: {error}") from error
        paths, sizes = actions["path"].to_pylist(), actions["size_bytes"].to_pylist()
        folder = self.root / self.name
        return {folder / unquote(path): int(size) for path, size in zip(paths, sizes, strict=True)}


def pinned_tables(root: Path) -> list[PinnedTable]:
    """All tables below the root, with the versions that they had at one instant.

    The versions are read twice: if they are the same, no commit came between, so this is a state
    that a crash could have left. Raises LakeNeverStillError.
    """
    before = _versions(root)
    for _ in range(_MOST_TRIES):
        found = _versions(root)
        if found == before:
            return [PinnedTable(root, name, found[name]) for name in sorted(found)]
        before = found
    raise LakeNeverStillError(root)


def _versions(root: Path) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for folder, below, _ in os.walk(root):
        if _LOG not in below:
            continue
        below.clear()
        names = _names(Path(folder) / _LOG)
        numbers = [int(m[1]) for each in names if (m := _LOG_FILE.fullmatch(each))]
        if numbers:
            found[str(Path(folder).relative_to(root))] = max(numbers)
    return found


def _names(folder: Path) -> list[str]:
    """The names in a folder; none if the table was removed meanwhile."""
    try:
        return [each.name for each in os.scandir(folder)]
    except FileNotFoundError:
        return []
