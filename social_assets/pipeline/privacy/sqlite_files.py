"""Overwrites ids in SQLite files: of Dagster's history, and of what steps remember.

Belongs here: any SQLite file of the home, whatever its tables are. Characters of an id become
stars.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes

_WAIT_SECONDS = 60.0
_SUFFIXES = (".db", ".sqlite")


class SqliteFileError(RuntimeError):
    """A file of SQLite could not be searched or written."""


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SqliteFileError(
            f"{path}: {error}. End what holds the file, or repair or remove it; then give the same "
            "command again"
        ) from error


def is_sqlite(path: Path) -> bool:
    """Whether a file is one of SQLite, by its name.

    Nobody may open such a file but by SQLite: a process that closes it loses the locks of all its
    connections to it, and then other processes damage the file (sqlite.org/howtocorrupt.html, 2.2).
    """
    return path.name.endswith(_SUFFIXES)


def overwrite_in_sqlite(path: Path, ids: IdsInBytes) -> int:
    """Overwrite the ids in all values of all tables; returns how many values had one.

    The file is written anew, without the bytes of rows that were deleted before. Other processes
    may use it meanwhile. Raises SqliteFileError, also if one of them holds it for a minute.
    """
    opened = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
    with _named(path), closing(opened) as connection:
        connection.create_function("has_id", 1, lambda value: _has(value, ids), deterministic=True)
        connection.create_function("starred", 1, lambda value: _starred(value, ids))
        connection.execute("PRAGMA secure_delete = ON")
        changed = sum(_overwrite_in(connection, table) for table in _tables(connection))
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed


def values_in_sqlite(path: Path, ids: IdsInBytes) -> int:
    """How many values of all tables have one of the ids."""
    uri = f"{path.as_uri()}?mode=ro"
    with _named(path), closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS)) as connection:
        connection.create_function("has_id", 1, lambda value: _has(value, ids), deterministic=True)
        found = 0
        for table in _tables(connection):
            for column in _columns(connection, table):
                query = f"SELECT count(*) FROM {_quoted(table)} WHERE has_id({_quoted(column)})"
                found += connection.execute(query).fetchone()[0]
        return found


def _overwrite_in(connection: sqlite3.Connection, table: str) -> int:
    changed = 0
    for column in _columns(connection, table):
        name, of = _quoted(column), _quoted(table)
        statement = f"UPDATE {of} SET {name} = starred({name}) WHERE has_id({name})"
        changed += connection.execute(statement).rowcount
    return changed


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return [name for (name,) in connection.execute(query)]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]


def _has(value: object, ids: IdsInBytes) -> bool:
    content = _bytes(value)
    return content is not None and next(ids.spans(content), None) is not None


def _starred(value: str | bytes, ids: IdsInBytes) -> str | bytes:
    whole = _bytes(value) or b""
    content = bytearray(whole)
    for begin, end in ids.spans(whole):
        content[begin:end] = b"*" * (end - begin)
    return content.decode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(content)


def _bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return value if isinstance(value, bytes) else None


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
