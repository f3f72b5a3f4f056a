"""Which files a run may load: those of landing, of configured folders, and those its command named.

A run's config comes from whoever reaches the Dagster UI. Here belongs the check of each path, with
symbolic links resolved. A command line reads any file that its user names: it grants them in the
memory of its process, where the run is executed, and no run config can say so.
A hard link is the file itself and cannot be told from it: Linux (`fs.protected_hardlinks`) lets
nobody link a file that they cannot write. Another user's files are safe only by their mode.
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
    """Runs of this process may load these files, too, for the block."""
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
    """Raise FileError if a folder that files are moved to leads out of landing."""
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
