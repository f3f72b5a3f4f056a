"""The files of a home that a backup has besides the lake, and how each is read while in use.

Belongs here: what is left out, in which order the rest is read, and recognizing databases. Every
part that is not named here is in the backup, so a new part of a home needs no change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.settings.home import Home
from social_assets.control.secrets.secret_keys import KeySource

_MADE_ANEW = (
    *("clickhouse", "dbt", "serving", "samples", "logs", "locks", "spill", "ui", "queries"),
    *("features", "spark"),
)
"""Made anew by the commands that use them."""

_OF_SERVERS = ("kafka", "kafka_connect")
"""The home's own broker and its worker. They have their own replication."""

_SQLITE = b"SQLite format 3\x00"
_BESIDE_DATABASE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class HomeFile:
    """A file of a home; `path` is that in the backup."""

    path: str
    file: Path
    is_database: bool


def home_files(home: Home, *, with_secret_key: bool) -> Iterator[HomeFile]:
    """The files besides the lake, in the order in which they must be read.

    All of them come before the lake, and what says how far something was taken comes before what
    was taken. So after a restore the lake may have records that the other stores do not know of,
    which is what a crash leaves, and never the reverse: the operational store, which has the
    positions of collection, is first. Events of Dagster come before its runs, so that every event
    has its run.
    """
    left_out = {*_MADE_ANEW, *_OF_SERVERS, home.lake.name, home.restoring.name}
    first = (home.control, home.dagster / "history" / "runs")
    keys = KeySource(home).file
    seen: set[Path] = set()
    for part in (*first, *_listed(home.path)):
        if part.name in left_out and part.parent == home.path:
            continue
        for each in _below(part, home.path):
            is_key = each.file == keys or each.file == keys.with_suffix(".lock")
            if each.file not in seen and (with_secret_key or not is_key):
                seen.add(each.file)
                yield each


def _below(part: Path, home: Path) -> Iterator[HomeFile]:
    """A file, or the files of a folder before those of the folders in it.

    The folders in it are listed after its files were read: so a file that names the current one of
    them, as that of trained models does, is never newer than they are.
    """
    if not part.is_dir():
        if found := _file(part, home):
            yield found
        return
    for each in _listed(part):
        if not each.is_dir() and (found := _file(each, home)):
            yield found
    for each in _listed(part):
        if each.is_dir() and not each.is_symlink():
            yield from _below(each, home)


def _listed(folder: Path) -> list[Path]:
    """What is in a folder; nothing if it was removed meanwhile."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _file(file: Path, home: Path) -> HomeFile | None:
    """The file; None for what is no file, or belongs to a database beside it."""
    for end in _BESIDE_DATABASE:
        if file.name.endswith(end) and file.with_name(file.name.removesuffix(end)).exists():
            return None
    try:
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            is_database = os.read(opened.fileno(), len(_SQLITE)) == _SQLITE
    except FileNotFoundError:  # removed meanwhile
        return None
    return HomeFile(str(file.relative_to(home)), file, is_database)
