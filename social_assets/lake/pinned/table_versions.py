"""The versions of the tables of a lake in an object store.

Belongs here: reading them from the names in the logs. They are not of one instant: each is at least
that which the table had when the call began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pyarrow.fs import FileType

from social_assets.lake.storage.errors import store_errors
from social_assets.lake.storage.file_system import Storage, delta_options, files_below, storage_of

_LOG = "_delta_log"
_LOG_FILE = re.compile(r"(\d{20})(?:\.json|\.checkpoint(?:\.\d{10}\.\d{10})?\.parquet)")


def table_versions(url: str) -> Mapping[str, int]:
    """The tables below a lake's URL, by name, such as `raw/posts`. Raises LakeStoreError."""
    with store_errors(f"the lake {url}", "its URL"):
        storage = storage_of(url, delta_options(url))
        return dict(_versions(storage, ""))


def _versions(storage: Storage, folder: str) -> Iterator[tuple[str, int]]:
    """Data files are not listed: a folder with a log has no tables below it."""
    folders = [name for name, kind in _listed(storage, folder) if kind is FileType.Directory]
    if _LOG in folders:
        names = [name for name, _ in _listed(storage, f"{folder}/{_LOG}")]
        numbers = [int(found[1]) for name in names if (found := _LOG_FILE.fullmatch(name))]
        if numbers:
            yield folder, max(numbers)
        return
    for name in sorted(folders):
        yield from _versions(storage, f"{folder}/{name}" if folder else name)


def _listed(storage: Storage, folder: str) -> list[tuple[str, FileType]]:
    found = files_below(storage.files, storage.path(folder).rstrip("/"))
    return [(each.base_name, each.type) for each in found]
