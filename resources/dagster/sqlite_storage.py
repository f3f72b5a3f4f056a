"""Dagster's SQLite storages of runs and of ticks, with a longer busy timeout.

Belongs here: how these two storages connect, and where their files lie. The event log is
`event_log`'s. Dagster waits 30 seconds for another writer of the event log, but opens runs and
ticks with SQLite's default of 5 seconds. On a busy disk a commit takes longer than that while
others wait for it, and a sensor's tick fails with "database is locked". `docker/dagster.yaml` names
these classes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

# Private in Dagster: its default storages, and the base class of what can be configured.
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

__all__ = ["BUSY_SECONDS", "LongTimeoutSqliteRunStorage", "LongTimeoutSqliteScheduleStorage"]

BUSY_SECONDS = 60
"""How long a writer waits for others, as in the event log."""


class LongTimeoutSqliteRunStorage(SqliteRunStorage):
    """The runs under DAGSTER_HOME, in the file and tables of Dagster's own."""

    @classmethod
    def config_type(cls) -> Any:
        """Nothing: the file lies where Dagster's own would."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The storage of this process's instance."""
        base = Path(os.environ["DAGSTER_HOME"]) / "history"
        with _creation_lock(base):
            return cls.from_local(str(base), inst_data, **config_value)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A transaction of its own."""
        with _engine(self._conn_string).begin() as connection:
            yield connection


class LongTimeoutSqliteScheduleStorage(SqliteScheduleStorage):
    """Ticks, sensors and schedules under DAGSTER_HOME, in the file and tables of Dagster's own."""

    @classmethod
    def config_type(cls) -> Any:
        """Nothing: the file lies where Dagster's own would."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The storage of this process's instance."""
        base = Path(os.environ["DAGSTER_HOME"]) / "schedules"
        with _creation_lock(base):
            # It is a cls, though Dagster's type says the parent.
            return cls.from_local(str(base), inst_data, **config_value)  # type: ignore[return-value]

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A transaction of its own."""
        with _engine(self._conn_string).begin() as connection:
            yield connection


@contextmanager
def _creation_lock(folder: Path) -> Iterator[None]:
    """The lock for checking and creating the tables.

    SQLite does not wait while a file is switched to its write-ahead log: of two processes that
    create the same file, one would fail.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".creation.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@lru_cache(maxsize=32)
def _engine(address: str) -> Engine:
    """An engine that keeps no connection open, so that forked processes may use it."""
    return create_engine(address, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
