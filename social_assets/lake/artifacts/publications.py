"""Publications of models in an object store: sets of files, of which the newest is in force.

Belongs here: the layout, writing a set so that it is there whole or not at all, reading it. Which
files of a home belong to a set is in `home_copy`.

    <url>/<area>/index/               a Delta table: one row a file of a publication
    <url>/<area>/objects/<ab>/<hash>  the files, each named by the hash of its content

A publication is one commit of the table, which is refused unless it follows the publication that
it was made from. Files are written before the commit, so that whoever reads the index finds them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import pyarrow as pa
from pyarrow import fs

from recsys.registry.artifact import FileEntry, entry_of
from resources.settings.bucket_urls import ARTIFACTS_URL
from social_assets.lake.delta import Applied, AppliedElsewhereError, LakeTable
from social_assets.lake.storage.errors import store_errors
from social_assets.lake.storage.file_system import (
    Storage,
    dataset_of,
    delta_options,
    files_below,
    read_whole,
    storage_of,
)

INDEX = pa.schema(
    [
        pa.field("event_date", pa.date32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
    ]
)
UNNAMED_KEPT = timedelta(days=1)
"""How long an object stays that no publication names: its writer may not have committed yet."""
_APPLICATION = "publications"
_NO_FILE = ""
"""The path of the row that each publication has, also one without files."""


class ArtifactStoreError(OSError):
    """Published models cannot be used as they are; names the store, the object and the remedy."""


@dataclass(frozen=True)
class Publication:
    """A set of files: where each is below the root of its area, with hash and size."""

    number: int
    identity: str
    files: Mapping[str, FileEntry]

    def hashes(self) -> set[str]:
        """The hashes of its files."""
        return {each.sha256 for each in self.files.values()}


@dataclass(frozen=True)
class Publications:
    """The publications of one area of a store."""

    url: str
    storage: Storage
    index: LakeTable

    @classmethod
    def of(cls, url: str, area: str) -> Self:
        """The publications of an area such as `champion`."""
        root = f"{url}/{area}"
        index = LakeTable(f"{root}/index", INDEX, ("event_date",), delta_options(url))
        with store_errors(f"published models at {root}", ARTIFACTS_URL):
            return cls(root, storage_of(root, index.storage_options), index)

    def newest(self) -> Publication | None:
        """The publication in force, if there is one."""
        with store_errors(f"published models at {self.url}", ARTIFACTS_URL, of_tables=True):
            days = self.index.rows_by_day()
            if not days:
                return None
            rows = dataset_of(self.index.files([max(days)]), INDEX).to_table().to_pylist()
        number = max(row["number"] for row in rows)
        newest = [row for row in rows if row["number"] == number]
        refuse_outside(self.url, [row["path"] for row in newest])
        files = {
            row["path"]: FileEntry(row["sha256"], row["size_bytes"])
            for row in newest
            if row["path"] != _NO_FILE
        }
        return Publication(number, newest[0]["identity"], files)

    def publish(self, files: Mapping[str, Path], before: Publication | None) -> Publication:
        """Put a set of files in force in place of `before`.

        Then objects are deleted that only `before` named, or that nothing names for a day. Raises
        ArtifactStoreError if another home has published meanwhile; nothing is in force then.
        """
        entries = {path: self._put(file) for path, file in files.items()}
        number = 1 if before is None else before.number + 1
        made = Publication(number, uuid.uuid4().hex, entries)
        with store_errors(f"published models at {self.url}", ARTIFACTS_URL, of_tables=True):
            last = None if before is None else before.number
            applied = Applied(_APPLICATION, number, is_next=True, before=last)
            try:
                self.index.append(self._rows(made), applied)
            except AppliedElsewhereError as error:
                # A commit whose answer was lost is refused when the library repeats it.
                if (found := self.newest()) is None or found.identity != made.identity:
                    raise ArtifactStoreError(
                        f"another home has published models at {self.url} meanwhile; nothing was"
                        " changed there. Give the same command again: it goes on from those"
                    ) from error
        dropped = set() if before is None else before.hashes() - made.hashes()
        self._delete([*dropped, *self._unnamed(made)])
        return made

    def read(self, path: str, entry: FileEntry) -> bytes:
        """A file of a publication. Raises FileNotFoundError if a later one has dropped it, and
        ArtifactStoreError if it is not what was published.
        """
        name = self._path(entry.sha256)
        with store_errors(f"{path} of {self.url}", ARTIFACTS_URL):
            if self.storage.files.get_file_info(name).type == fs.FileType.NotFound:
                raise FileNotFoundError(self._url(entry.sha256))
            content = read_whole(self.storage.files, name)
        if entry_of(content) != entry:
            raise ArtifactStoreError(
                f"{self._url(entry.sha256)}, which is {path}, is not what was published: delete it,"
                " and publish again, or copy it from a version of the bucket"
            )
        return content

    def _put(self, file: Path) -> FileEntry:
        content = file.read_bytes()
        entry = entry_of(content)
        path = self._path(entry.sha256)
        with store_errors(f"{self._url(entry.sha256)} ({file})", ARTIFACTS_URL):
            if self.storage.files.get_file_info(path).size != entry.bytes:
                with self.storage.files.open_output_stream(path) as stream:
                    stream.write(content)
        return entry

    def _rows(self, made: Publication) -> pa.Table:
        with_days = self.index.rows_by_day()
        # A clock that is behind another home's must not hide the newest publication.
        day = max([datetime.now(UTC).date(), *with_days])
        files = [(_NO_FILE, FileEntry("", 0)), *made.files.items()]
        return pa.table(
            {
                "event_date": pa.array([day] * len(files), pa.date32()),
                "number": pa.array([made.number] * len(files), pa.int64()),
                "identity": pa.array([made.identity] * len(files), pa.string()),
                "path": pa.array([path for path, _ in files], pa.string()),
                "sha256": pa.array([entry.sha256 for _, entry in files], pa.string()),
                "size_bytes": pa.array([entry.bytes for _, entry in files], pa.int64()),
            },
            schema=INDEX,
        )

    def _unnamed(self, made: Publication) -> list[str]:
        named, latest = made.hashes(), datetime.now(UTC) - UNNAMED_KEPT
        with store_errors(f"published models at {self.url}", ARTIFACTS_URL):
            found = files_below(self.storage.files, self.storage.path("objects"), recursive=True)
        return [
            each.base_name
            for each in found
            if each.is_file and each.base_name not in named and each.mtime < latest
        ]

    def _delete(self, hashes: Iterable[str]) -> None:
        for sha256 in sorted(set(hashes)):
            path = self._path(sha256)
            with store_errors(self._url(sha256), ARTIFACTS_URL):
                if self.storage.files.get_file_info(path).is_file:
                    self.storage.files.delete_file(path)

    def _path(self, sha256: str) -> str:
        return self.storage.path(f"objects/{sha256[:2]}/{sha256}")

    def _url(self, sha256: str) -> str:
        return f"{self.url}/objects/{sha256[:2]}/{sha256}"


def refuse_outside(url: str, paths: Iterable[str]) -> None:
    """Raise ArtifactStoreError for a name by which a home would write outside of its folder."""
    for path in paths:
        if path.startswith("/") or ".." in path.split("/"):
            raise ArtifactStoreError(
                f"the index of {url} names {path!r}, which is no file of a model: somebody else"
                " writes to the bucket. Take that right away, and publish again"
            )
