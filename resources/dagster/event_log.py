"""Dagster's event log in SQLite, which stores many events in one transaction.

Belongs here: this log, and deleting the records of partitions that have no rows any more. If
DAGSTER_EVENT_BATCH_SIZE is set, Dagster passes the events of a range of partitions in batches. Its
own SQLite log stores them one by one, with two connections and two commits to disk each: nearly all
of the time of a run over a year of days. It also makes an engine for every access, and so compiles
every statement again. This log keeps one engine for each file, and an open connection to the index,
which all runs share: closing the last connection makes SQLite move its whole write-ahead log into
the file. `docker/dagster.yaml` names this class, and `operate.runs.instance` asks for batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from threading import local
from typing import Any, Self

from dagster import AssetKey, EventLogEntry

# Private in Dagster: its default log, and the base class of what can be configured.
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, inspect, select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool, QueuePool

__all__ = ["BatchedSqliteEventLog", "SqliteEventLogStorage"]

BATCH_SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
BATCH_SIZE = 500

_BUSY_SECONDS = 60

_EVENTS, _TAGS = SqlEventLogStorageTable, AssetEventTagsTable
_CHECKS = AssetCheckExecutionsTable
_KEYS_AT_ONCE = 500


class BatchedSqliteEventLog(SqliteEventLogStorage):
    """The log under DAGSTER_HOME, in the files and tables of Dagster's own."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._batch = local()
        self._tables: frozenset[str] = frozenset()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> Any:
        """No configuration: its files are where Dagster's own would be."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """The log of this process's instance."""
        base = Path(os.environ["DAGSTER_HOME"]) / "history" / "runs"
        return cls(str(base), inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event in one transaction of each file, where Dagster's log needs up to four."""
        with self.one_transaction():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """All events or, if one fails, none: Dagster then takes them one by one."""
        with self.one_transaction():
            for event in events:
                super().store_event(event)

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Store what this thread logs within the block together, or, if it fails, nothing of it."""
        if self._is_batch():
            yield
            return
        with ExitStack() as opened:
            self._batch.connections, self._batch.opened = {}, opened
            try:
                yield
            finally:
                self._batch.connections = None

    def _is_batch(self) -> bool:
        return getattr(self._batch, "connections", None) is not None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A transaction, or within a batch, the batch's transaction."""
        connections: dict[str, Connection] | None = getattr(self._batch, "connections", None)
        if connections is None:
            engine = self._engine(shard)
            with self._db_lock, engine.begin() as connection:
                yield connection
            return
        if shard not in connections:
            transaction = self._engine(shard).begin()
            connections[shard] = self._batch.opened.enter_context(transaction)
        yield connections[shard]

    def wipe_asset_partitions(self, asset_key: AssetKey, partition_keys: Sequence[str]) -> None:
        """Delete all events and check results of some partitions of an asset.

        Dagster's own logs do not support this; the files of the runs keep the events.
        """
        key = asset_key.to_string()
        with self.index_connection() as connection:
            for start in range(0, len(partition_keys), _KEYS_AT_ONCE):
                keys = list(partition_keys[start : start + _KEYS_AT_ONCE])
                of_key = (_EVENTS.c.asset_key == key) & _EVENTS.c.partition.in_(keys)
                events = select(_EVENTS.c.id).where(of_key)
                connection.execute(_TAGS.delete().where(_TAGS.c.event_id.in_(events)))
                connection.execute(_EVENTS.delete().where(of_key))
                connection.execute(
                    _CHECKS.delete().where(
                        (_CHECKS.c.asset_key == key) & _CHECKS.c.partition.in_(keys)
                    )
                )
        self.wipe_asset_cached_status(asset_key)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table. Cached, since each event asks, and no table is ever
        dropped.
        """
        if table_name not in self._tables:
            self._tables = frozenset(inspect(self._engine(INDEX_SHARD_NAME)).get_table_names())
        return table_name in self._tables

    def _engine(self, shard: str) -> Engine:
        """That of a file, which has its tables then."""
        if shard not in self._initialized_dbs:
            with super()._connect(shard):
                pass  # which makes the file and its tables
        if shard == INDEX_SHARD_NAME:
            return _engine_of_index(self.conn_string_for_shard(shard), os.getpid())
        return _engine_of_run(self.conn_string_for_shard(shard))


# A process has a few runs at a time.
@lru_cache(maxsize=32)
def _engine_of_run(address: str) -> Engine:
    """It holds no connection open: the UI follows a run by its file, which closing writes."""
    return create_engine(address, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS})


@lru_cache(maxsize=32)
def _engine_of_index(address: str, process: int) -> Engine:
    """It holds one connection open, which is no forked process's to use: each has its own."""
    del process
    return create_engine(
        address,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=-1,
        connect_args={"timeout": _BUSY_SECONDS},
    )
