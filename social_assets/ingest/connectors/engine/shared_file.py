"""A SQLite file of the home that the processes which collect share.

Belongs here: how such a file is opened, and what a transaction is. Its tables belong to the modules
that use it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from resources.settings.home import Home

WAIT_SECONDS = 30.0
"""How long a transaction waits for one of another process."""


class SharedFile:
    """One file below `<home>/collection`. Threads of this process take turns."""

    def __init__(self, home: Home, name: str, tables: str) -> None:
        home.collection.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            home.collection / name,
            timeout=WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The last transactions may be lost at a power failure: answers of platforms correct them.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(tables)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The file, for queries alone."""
        with self._lock:
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, of which there is one at a time; an exception undoes it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
