"""Which files a run may load: files in landing, in configured folders, or named on a command line.

Belongs here: the check of each path, after symbolic links are resolved. A run's config may come
from anyone who reaches the Dagster UI. A command line may read any file that its user names: it
grants these files in the memory of its process, where the run is executed, so no run config can
grant them. A hard link cannot be told from the file itself. Linux (`fs.protected_hardlinks`) lets
users link only files that they can write, so other users' files are protected by their mode.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from resources.settings.home import Home
from social_assets.ingest.records import FileError

FOLDERS = "SOCIAL_ASSETS_LOAD_FOLDERS"
"""Folders, separated by colons, whose files a run may load."""

_granted: list[Path] = []


@contextmanager
def granted(files: Sequence[Path]) -> Iterator[None]:
    """Allow the runs of this process to load these files, for the block."""
    added = [file.resolve() for file in files]
    _granted.extend(added)
    try:
        yield
    finally:
        for each in added:
            _granted.remove(each)


def check_allowed(path: Path) -> None:
    """Raise FileError if a run may not load the file; the text does not say whether it exists."""
    found = path.resolve()
    if found in _granted or _is_inside(found):
        return
    raise FileError(
        path,
        f"it leads out of the folders that runs may load from; move it to the stream's landing "
        f"folder, name its folder in {FOLDERS}, or load it with `social-assets load`",
    )


def check_folder(folder: Path) -> None:
    """Raise FileError if a folder to which files are moved is outside landing."""
    if not _is_inside(folder.resolve()):
        raise FileError(
            folder,
            f"it leads out of landing by a symbolic link; replace it with a folder, or name where "
            f"it leads in {FOLDERS}",
        )


def _is_inside(found: Path) -> bool:
    named = [Path(each) for each in os.environ.get(FOLDERS, "").split(os.pathsep) if each]
    roots = (Home.from_environment().landing, *named)
    return any(found.is_relative_to(root.resolve()) for root in roots)
