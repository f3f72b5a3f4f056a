"""Which versions of objects were copied into the landing folder of a stream, and as which file.

Belongs here: the record, a SQLite file in that folder. It saves copies, and is not what makes a
load happen once: that is the hash of a file's content, which the lake has. So if it is lost, all
objects are copied again, and no record is loaded again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_FILE = ".objects.sqlite"
_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class ObjectVersion:
    """What a listing shows of an object. `key` is below the stream's folder."""

    key: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class TakenVersion:
    """A version that was copied, its ETag, the name of the copy, and when it was copied.

    `must_go`: it has records of a person who is forgotten.
    """

    version: ObjectVersion
    etag: str
    name: str
    taken_ns: int
    must_go: bool = False


@dataclass(frozen=True)
class TakenObjects:
    """The record of one stream's landing folder."""

    folder: Path

    def all(self) -> dict[str, TakenVersion]:
        """The version of each key that was taken last."""
        return {each.version.key: each for each in self._rows("ORDER BY taken_ns")}

    def that_must_go(self) -> list[TakenVersion]:
        """All versions with records of persons who are forgotten."""
        return self._rows("WHERE must_go ORDER BY key")

    def add(self, taken: TakenVersion) -> None:
        """Record a copy."""
        version = taken.version
        with self._open() as database:
            database.execute(
                "INSERT INTO taken VALUES (?, ?, ?, ?, ?, ?, 0)",
                (
                    *(version.key, version.size, version.mtime_ns),
                    *(taken.etag, taken.name, taken.taken_ns),
                ),
            )

    def mark(self, names: Iterable[str]) -> None:
        """Record that the objects behind copies of these names have records of such persons."""
        if (self.folder / _FILE).exists():
            with self._open() as database:
                database.executemany(
                    "UPDATE taken SET must_go = 1 WHERE name = ?", [(name,) for name in names]
                )

    def _rows(self, clause: str) -> list[TakenVersion]:
        if not (self.folder / _FILE).exists():
            return []
        with self._open() as database:
            rows = database.execute(f"SELECT * FROM taken {clause}").fetchall()
        return [
            TakenVersion(ObjectVersion(key, size, mtime), etag, name, at, bool(must_go))
            for key, size, mtime, etag, name, at, must_go in rows
        ]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.folder / _FILE, timeout=_WAIT_SECONDS)) as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS taken (key TEXT, size INTEGER, mtime_ns INTEGER,"
                " etag TEXT, name TEXT, taken_ns INTEGER, must_go INTEGER)"
            )
            with database:
                yield database
