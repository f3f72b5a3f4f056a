"""Ids in files of the home that are no tables: copies of landed files, histories, logs.

Belongs here: which folders there are, and what is done in each. The lake is the work of
`erase_persons`; the warehouse's files are compressed and are read by SQL (`warehouse_rows`).
"""

from __future__ import annotations

import gzip
import mmap
import os
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.settings.home import Home
from social_assets.pipeline.files.landing_folder import LOADED
from social_assets.pipeline.privacy.erase_persons import Erased
from social_assets.pipeline.privacy.ids_in_bytes import LONGEST_SPELLING, IdsInBytes
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.sqlite_files import (
    is_sqlite,
    overwrite_in_sqlite,
    values_in_sqlite,
)

_OF_OTHERS = ("lake", "clickhouse", "artifacts", "landing", "control", "media")
"""Folders that are cleaned elsewhere, or not by overwriting."""

_SEARCHED_ELSEWHERE = ("clickhouse", "artifacts")

_REMEDIES = {
    "landing": "a file that waits, or that failed: remove the records from it, or the file",
    "control": "people entered it: social-assets untrack, or change the dashboard or report",
    "collection": "pages that wait to be landed: social-assets collect, then the command again",
}
_CHUNK_BYTES = 16 << 20
_OF_SQLITE = ("-wal", "-shm", "-journal")
_OTHER_REMEDY = "repeat the command; if it stays, remove the file"


@dataclass(frozen=True, order=True)
class Remainder:
    """A place that still has an id, and what to do about it."""

    place: str
    remedy: str


def delete_landed_copies(home: Home, persons: PersonIds, erased: Collection[Erased]) -> int:
    """Delete the loaded files that had records of the persons: raw has all records of them.

    Returns how many files.
    """
    deleted = 0
    for each in erased:
        folder = home.landing / each.stream / LOADED
        for path in _files(folder):
            if path.name in each.files or has_id(path, persons.distinct):
                path.unlink()
                deleted += 1
    return deleted


def overwrite_in_home(home: Home, persons: PersonIds) -> int:
    """Overwrite distinct ids in histories and logs; returns how many files had one."""
    changed = 0
    for path in _files(home.path, _OF_OTHERS):
        with suppress(FileNotFoundError):  # Another process has deleted it meanwhile.
            changed += _overwritten(path, persons.distinct)
    return changed


def places_in_home(home: Home, persons: PersonIds) -> list[Remainder]:
    """The files that still have a distinct id, but for those of ClickHouse and of models."""
    found = []
    for path in _files(home.path, _SEARCHED_ELSEWHERE):
        place = path.relative_to(home.path)
        if has_id(path, persons.distinct):
            found.append(Remainder(str(place), _REMEDIES.get(place.parts[0], _OTHER_REMEDY)))
    return found


def has_id(path: Path, ids: IdsInBytes) -> bool:
    """Whether a file has one of the ids: in its bytes, or in a value of its tables.

    Of a damaged file, such as one that could not be loaded, only the bytes are searched.
    """
    with suppress(FileNotFoundError):  # Another process has deleted it meanwhile.
        if is_sqlite(path):
            return values_in_sqlite(path, ids) > 0
        return _in_bytes(path, ids) or _in_values(path, ids)
    return False


def _in_values(path: Path, ids: IdsInBytes) -> bool:
    """Whether a compressed file has an id."""
    with suppress(pa.ArrowException, EOFError, zlib.error, gzip.BadGzipFile):
        if path.suffix == ".parquet":
            return _in_parquet(path, ids)
        if path.suffix == ".gz":
            return _in_gzip(path, ids)
    return False


def _in_gzip(path: Path, ids: IdsInBytes) -> bool:
    with gzip.open(path) as file:
        before = b""
        while chunk := file.read(_CHUNK_BYTES):
            if ids.is_in(before + chunk):
                return True
            before = chunk[-LONGEST_SPELLING:]
    return False


def _in_parquet(path: Path, ids: IdsInBytes) -> bool:
    for batch in pq.ParquetFile(path).iter_batches(batch_size=8_192):
        if any(ids.mask(texts).true_count for column in batch.columns for texts in _texts(column)):
            return True
    return False


def _texts(column: pa.Array) -> Iterator[pa.Array]:
    """The texts and bytes of a column, also those within lists and maps."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        yield from _texts(column.dictionary)
    elif pa.types.is_map(kind):
        yield from _texts(column.keys)
        yield from _texts(column.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _texts(column.flatten())
    elif pa.types.is_struct(kind):
        for child in column.flatten():
            yield from _texts(child)
    elif kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        yield column


def _in_bytes(path: Path, ids: IdsInBytes) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return next(ids.spans(content), None) is not None


def _overwritten(path: Path, ids: IdsInBytes) -> bool:
    """Overwrite ids in a file; returns whether it had one."""
    if is_sqlite(path):
        return overwrite_in_sqlite(path, ids) > 0
    if not has_id(path, ids):
        return False
    _overwrite(path, ids)
    return True


def _overwrite(path: Path, ids: IdsInBytes) -> None:
    """Overwrite in place: a process that appends to the file goes on appending."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for begin, end in [*ids.spans(content)]:
            content[begin:end] = b"*" * (end - begin)
        content.flush()


def _files(folder: Path, without: Collection[str] = ()) -> Iterator[Path]:
    """The files of a folder, without some folders in it, and without those that SQLite has beside
    an open database. Folders may vanish meanwhile.
    """
    for parent, folders, names in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = sorted(set(folders) - set(without))
        for path in (Path(parent) / name for name in sorted(names)):
            if not path.name.endswith(_OF_SQLITE) and path.is_file() and not path.is_symlink():
                yield path
