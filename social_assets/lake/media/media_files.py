"""The store of pictures: files in a folder or an object store, each named by its content's hash.

Belongs here: writing a file so that it is there whole or not at all, listing, archiving, deleting.
Which files are needed is found by `pipeline.media`. Writing a file again changes nothing, so it
needs no lock; whoever deletes must hold one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pyarrow import fs

from social_assets.lake.storage.file_system import files_below

Area = Literal["kept", "archive"]
"""The folders of the store. A lifecycle rule of a bucket can give `archive` a cheaper class."""
AREAS: tuple[Area, ...] = ("kept", "archive")


class MediaStoreError(OSError):
    """The store did not take a file."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the store. `name` is its hash and the ending of its type."""

    area: Area
    name: str
    size_bytes: int
    written_at: datetime

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class MediaFiles:
    """The files below one root."""

    storage: fs.FileSystem
    root: str

    @classmethod
    def at(cls, root: str) -> Self:
        """The store at a folder, or at a URL such as s3://bucket/media.

        Credentials of S3 come from the environment, as AWS's own tools read them.
        """
        if "://" in root:
            storage, path = fs.FileSystem.from_uri(root)
            return cls(storage, path)
        return cls(fs.LocalFileSystem(), str(Path(root).expanduser().resolve()))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder. An object store has no folders, and its files appear whole."""
        return isinstance(self.storage, fs.LocalFileSystem)

    def put(self, body: bytes, extension: str) -> str:
        """Store a file unless it is there, and return the hash of its content.

        When this returns, a local file survives a crash of the machine.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path("kept", f"{sha256}.{extension}")
        if self._size(path) != len(body):
            if self.is_local:
                _write_whole(Path(path), body)
            else:
                with self.storage.open_output_stream(path) as stream:
                    stream.write(body)
            if self._size(path) != len(body):
                raise MediaStoreError(f"{path} was not written whole; look at the store's limits")
        return sha256

    def read(self, area: Area, name: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""
        with self.storage.open_input_stream(self._path(area, name)) as stream:
            content: bytes = stream.read()
        return content

    def list(self) -> Iterator[StoredFile]:
        """All files. What a killed process left unfinished is not among them."""
        for area in AREAS:
            for each in files_below(self.storage, f"{self.root}/{area}", recursive=True):
                if each.type == fs.FileType.File and not each.base_name.startswith("."):
                    yield StoredFile(area, each.base_name, each.size, each.mtime)

    def unfinished(self) -> Iterator[Path]:
        """What processes have begun to write into a local folder. Some may be at it."""
        if self.is_local:
            yield from Path(self.root).glob("kept/*/.*.unfinished")

    def archive(self, file: StoredFile) -> None:
        """Move a file to the archive."""
        target = self._path("archive", file.name)
        if self.is_local:
            Path(target).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.storage.move(self._path(file.area, file.name), target)

    def delete(self, file: StoredFile) -> None:
        """Delete a file."""
        self.storage.delete_file(self._path(file.area, file.name))

    def _path(self, area: Area, name: str) -> str:
        return f"{self.root}/{area}/{name[:2]}/{name}"

    def _size(self, path: str) -> int | None:
        size: int | None = self.storage.get_file_info(path).size
        return size


def _write_whole(path: Path, body: bytes) -> None:
    """Write under a temporary name of this call alone, sync, and rename.

    Two threads may store the same content at once.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".unfinished", f".{path.name}.", path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
