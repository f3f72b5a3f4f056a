"""The online store in a file of the home: SQLite.

Belongs here: its table and its statements. One write is one transaction, rows and watermark, so
that a process that is killed leaves the state before it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from threading import local

from social_assets.features.errors import OnlineStoreError
from social_assets.features.feature_view import Entity, FeatureView
from social_assets.features.online.rows import OnlineRow, Watermark

_WAIT_SECONDS = 10.0

# Ordered by what is read at once: all views of an id. Times are texts of one width, which sort.
_TABLES = """
CREATE TABLE IF NOT EXISTS features (
    entity TEXT NOT NULL,
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    view TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (entity, id, platform, view)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS features_of_view ON features (view, expires_at);
CREATE TABLE IF NOT EXISTS watermarks (
    view TEXT PRIMARY KEY,
    as_of TEXT NOT NULL,
    content TEXT NOT NULL
);
"""
_UPSERT = """
INSERT INTO features (entity, id, platform, view, expires_at, content) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, content = excluded.content
WHERE content != excluded.content
"""


class SqliteStore:
    """The store of a file. Each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Makes the file, readable by its user alone, if there is none."""
        self._path = path
        self._threads = local()
        self._opened: list[sqlite3.Connection] = []

    def read(self, entity: Entity, id_: str) -> dict[str, list[OnlineRow]]:
        """The rows of an id on all platforms, by the name of their view."""
        query = "SELECT view, platform, content FROM features WHERE entity = ? AND id = ?"
        with self._connection() as connection:
            found: dict[str, list[OnlineRow]] = {}
            for view, platform, content in connection.execute(query, (entity.name, id_)):
                found.setdefault(view, []).append(OnlineRow.of(platform, id_, content))
            return found

    def watermark(self, view: FeatureView) -> Watermark | None:
        """How far the view was taken; None if never."""
        query = "SELECT content FROM watermarks WHERE view = ?"
        with self._connection() as connection:
            row = connection.execute(query, (view.name,)).fetchone()
            return None if row is None else Watermark.from_json(row[0])

    def taken_until(self) -> Mapping[str, datetime]:
        """The times of the watermarks, by the name of the view."""
        with self._connection() as connection:
            rows = connection.execute("SELECT view, as_of FROM watermarks").fetchall()
            return {view: datetime.fromisoformat(as_of) for view, as_of in rows}

    def members(self, view: FeatureView, known_since: datetime | None) -> list[tuple[str, str]]:
        """Platform and id of rows that depend on days since a time; None: of all rows."""
        since = "" if known_since is None else _text(known_since + view.time_to_live)
        query = "SELECT platform, id FROM features WHERE view = ? AND expires_at >= ?"
        with self._connection() as connection:
            return connection.execute(query, (view.name, since)).fetchall()

    def rows(self, view: FeatureView) -> list[OnlineRow]:
        """All rows of a view."""
        query = "SELECT platform, id, content FROM features WHERE view = ?"
        with self._connection() as connection:
            return [OnlineRow.of(*row) for row in connection.execute(query, (view.name,))]

    def write(
        self,
        view: FeatureView,
        changed: Sequence[OnlineRow],
        gone: Sequence[tuple[str, str]],
        watermark: Watermark,
    ) -> int:
        """Write rows, delete those that are gone, and set the watermark, in one transaction."""
        entity = view.entity.name
        rows = (
            (entity, each.id, each.platform, view.name, _text(each.expires_at), each.content())
            for each in changed
        )
        removed = ((entity, id_, platform, view.name) for platform, id_ in gone)
        deletion = "DELETE FROM features WHERE entity = ? AND id = ? AND platform = ? AND view = ?"
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(_UPSERT, rows)
            connection.executemany(deletion, removed)
            differing = connection.total_changes - before
            connection.execute(
                "INSERT OR REPLACE INTO watermarks VALUES (?, ?, ?)",
                (view.name, watermark.as_of.isoformat(), watermark.as_json()),
            )
        return differing

    def delete_expired(self, view: FeatureView, before: datetime) -> int:
        """Delete the rows that had expired by a time; returns how many."""
        statement = "DELETE FROM features WHERE view = ? AND expires_at < ?"
        with self._transaction() as connection:
            return connection.execute(statement, (view.name, _text(before))).rowcount

    def forget(self, entity: Entity, named: Iterable[tuple[str | None, str]]) -> int:
        """Delete all rows of platforms and ids; None: on all platforms. Returns how many."""
        statement = (
            "DELETE FROM features WHERE entity = ?1 AND id = ?3 AND platform = ifnull(?2, platform)"
        )
        deleted = 0
        with self._transaction() as connection:
            for platform, id_ in named:
                deleted += connection.execute(statement, (entity.name, platform, id_)).rowcount
        if deleted:
            # The bytes of deleted rows stay in the file and its log until then.
            with self._connection() as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def close(self) -> None:
        """Close the connections of all threads, which must have ended their work."""
        while self._opened:
            self._opened.pop().close()
        self._threads = local()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._of_thread()
        except sqlite3.Error as error:
            raise OnlineStoreError(
                f"the online features in {self._path} cannot be used: {error}. If the file is "
                "damaged, remove it: the asset features/online makes it anew"
            ) from error

    def _of_thread(self) -> sqlite3.Connection:
        known: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if known is not None:
            return known
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            with closing(connection.cursor()) as cursor:
                cursor.executescript(_TABLES)
        except sqlite3.Error:
            connection.close()
            raise
        self._threads.connection = connection
        self._opened.append(connection)
        return connection


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
