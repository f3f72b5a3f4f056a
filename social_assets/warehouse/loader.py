"""Loads cleaned rows into ClickHouse: inserts a batch once, or replaces a whole day.

Belongs here: what is done to `cleaned.<stream>`. Inserts run the materialized views behind the
table, with a token, so that a repeated batch changes nothing in any table. Swapping days does not
run the views; a backfill rebuilds the tables behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from social_assets.contracts.contract import Contract
from social_assets.warehouse.altered_columns import alter_in_place, table_difference
from social_assets.warehouse.current import create_current_database, create_current_view
from social_assets.warehouse.ddl import (
    DATABASE,
    LOADED,
    column_names,
    create_database,
    create_records,
    create_table,
)
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    BEHIND,
    CLEANED,
    record_pending,
)
from social_assets.warehouse.tables import exists, views_of

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

CHUNK_ROWS = 250_000
"""Rows of one insert: one block of the server, so that it is inserted as a whole or not at all."""

CHUNK_BYTES = 128 << 20
"""The most bytes of one insert, plus one row: less than the server puts into one block, so that
wide rows are also inserted as a whole."""

CLOCK_DIFFERENCE = timedelta(minutes=1)
"""How much the clocks of this machine and of the server may differ."""

INSERT_SETTINGS = {
    # A server may be configured to acknowledge an insert before it has written.
    "async_insert": 0,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "insert_deduplicate": 1,
    "max_insert_block_size": CHUNK_ROWS,
    "max_partitions_per_insert_block": 0,
}


class ClientFactory(Protocol):
    """Opens a client whose queries have the comment in ClickHouse's query log."""

    def client(self, log_comment: str | None = None) -> AbstractContextManager[Client]:
        """A client for the block."""
        ...


@dataclass(frozen=True)
class Loader:
    """The loader of one stream. `log_comment` names its run or asset.

    `has_lake_rows` tells whether the lake has cleaned rows of the stream: if it has, a missing
    table was lost.
    """

    clickhouse: ClientFactory
    contract: Contract
    log_comment: str | None = None
    has_lake_rows: Callable[[], bool] = lambda: False

    @property
    def table(self) -> str:
        """The table that it fills."""
        return f"{DATABASE}.{self.contract.name}"

    def prepare(self) -> None:
        """Create the missing database and tables, and alter what can be altered in place.

        A lost table is created empty. Before that, all its days are recorded as pending, so that
        `finish_days` fills it from the lake.
        """
        with self._client() as client:
            client.command(create_database())
            if not exists(client, self.table) and self.has_lake_rows():
                record_pending(client, self.contract.name, (CLEANED, *BEHIND), [ALL_DAYS], "")
            client.command(create_table(self.contract))
            client.command(create_records()[LOADED])
            found = table_difference(client, self.contract, self.table)
            if found and not found.is_other:
                alter_in_place(client, self.contract, found)
            if not found.is_other:
                self._show_current(client)

    def record_pending(self, days: Sequence[date], run_id: str) -> None:
        """Record that facts and rollups do not have these days yet; called before the days are
        swapped.
        """
        with self._client() as client:
            record_pending(client, self.contract.name, BEHIND, days, run_id)

    def record_interrupted(self, days: Sequence[date], begun: datetime) -> None:
        """Record days as pending if the server may have been killed while it inserted their rows.

        `begun` is before the first insert. A killed server can have recorded the token of a part
        that it has not written (MergeTreeDeduplicationLog records the token first), at each level
        of views: the same insert again then changes nothing, and rows are missing. So the days are
        swapped from the lake, and built again behind. A server that has run all the time has
        either inserted or not, and the same insert again completes it.
        """
        with self._client() as client:
            if begun < started_at(client) + CLOCK_DIFFERENCE:
                record_pending(client, self.contract.name, (CLEANED, *BEHIND), days, "")

    def loaded(self) -> set[str]:
        """The batches that are completely loaded."""
        with self._client() as client:
            found = client.query(
                f"SELECT DISTINCT batch_id FROM {LOADED} WHERE stream = {{stream:String}}",
                parameters={"stream": self.contract.name},
            )
            return {row[0] for row in found.result_rows}

    def has_rows_of(self, batch_id: str, days: Sequence[date]) -> bool:
        """Whether the table has any row of a batch, whose event dates are `days`."""
        with self._client() as client:
            found = client.query(
                f"SELECT 1 FROM {self.table} WHERE event_date IN {{days:Array(Date)}} "
                "AND batch_id = {batch:String} LIMIT 1",
                parameters={"days": sorted(days), "batch": batch_id},
            )
            return bool(found.result_rows)

    def insert(self, batch_id: str, rows: pa.RecordBatchReader) -> int:
        """Insert a batch's cleaned rows, which must always come in the same order.

        After a kill, the same call completes the insert: each chunk has a token that the table and
        every table behind it remember. If the server was killed, the caller must have called
        `record_interrupted` before.
        """
        inserted = 0
        with self._client() as client:
            for number, chunk in enumerate(_chunks(rows)):
                client.insert_arrow(
                    self.table,
                    one_block(chunk),
                    settings={
                        **INSERT_SETTINGS,
                        "insert_deduplication_token": f"{batch_id}:{number}",
                    },
                )
                inserted += chunk.num_rows
        self.mark_loaded({batch_id: inserted})
        return inserted

    def mark_loaded(self, rows_by_batch: dict[str, int]) -> None:
        """Record batches as completely loaded."""
        if not rows_by_batch:
            return
        values = [[self.contract.name, batch, rows] for batch, rows in rows_by_batch.items()]
        with self._client() as client:
            client.insert(
                LOADED,
                values,
                column_names=["stream", "batch_id", "rows"],
                settings={"async_insert": 0},
            )

    def replace_days(self, days: Sequence[date], rows: pa.RecordBatchReader) -> None:
        """Replace the table's rows of `days` by `rows`.

        Readers see each day before or after, never between. A day without rows becomes empty.
        """
        staging = f"{self.table}__staging"
        with self._client() as client:
            client.command(f"DROP TABLE IF EXISTS {staging} SYNC")
            client.command(f"CREATE TABLE {staging} AS {self.table}")
            for chunk in _chunks(rows):
                client.insert_arrow(staging, chunk, settings=_STAGING_SETTINGS)
            filled = _days(client, staging)
            present = _days(client, self.table)
            for day in sorted(days):
                if day in filled:
                    client.command(
                        f"ALTER TABLE {self.table} REPLACE PARTITION '{day}' FROM {staging}"
                    )
                elif day in present:
                    client.command(f"ALTER TABLE {self.table} DROP PARTITION '{day}'")
            client.command(f"DROP TABLE {staging} SYNC")

    def replace_all(self, rows: pa.RecordBatchReader) -> None:
        """Replace the table by one with the contract's columns and these rows, in one step.

        Drops the views that read the table: they are written for its columns. The caller must have
        recorded all days of the tables behind as pending, and deploys the views again.
        """
        following = f"{self.table}__next"
        with self._client() as client:
            client.command(f"DROP TABLE IF EXISTS {following} SYNC")
            client.command(create_table(self.contract, following))
            for chunk in _chunks(rows):
                client.insert_arrow(following, chunk, settings=_STAGING_SETTINGS)
            for view in views_of(client, self.table):
                client.command(f"DROP VIEW IF EXISTS {view} SYNC")
            if exists(client, self.table):
                client.command(f"EXCHANGE TABLES {self.table} AND {following}")
                client.command(f"DROP TABLE {following} SYNC")
            else:
                client.command(f"RENAME TABLE {following} TO {self.table}")
            self._show_current(client)

    def _show_current(self, client: Client) -> None:
        """Make the view of the newest rows, if the stream is one of changes."""
        if self.contract.capture is not None:
            client.command(create_current_database())
            client.command(create_current_view(self.contract))

    def record_all_pending(self) -> None:
        """Record all days of the stream as pending, in `cleaned` and behind it."""
        with self._client() as client:
            record_pending(client, self.contract.name, (CLEANED, *BEHIND), [ALL_DAYS], "")

    def rows_by_day(self, days: Sequence[date] | None = None) -> dict[date, int]:
        """The table's rows by event date, of some days or of all; none if the table is missing."""
        where = "" if days is None else "WHERE event_date IN {days:Array(Date)} "
        with self._client() as client:
            if not exists(client, self.table):
                return {}
            found = client.query(
                f"SELECT event_date, count() FROM {self.table} {where}"
                "GROUP BY 1 ORDER BY event_date",
                parameters=None if days is None else {"days": list(days)},
            )
            dates, rows = found.result_columns if found.result_rows else ((), ())
            return dict(zip(dates, rows, strict=True))

    def _client(self) -> AbstractContextManager[Client]:
        return self.clickhouse.client(self.log_comment)


_STAGING_SETTINGS = {
    "async_insert": 0,
    "max_partitions_per_insert_block": 0,
    "insert_deduplicate": 0,
}


def one_block(rows: pa.Table) -> pa.Table:
    """The rows as one Arrow batch, which the server takes as one block.

    It numbers the blocks of an insert, and remembers each by the insert's token and that number. So
    an insert changes nothing the second time only if its rows are cut into the same batches.
    """
    return rows.combine_chunks()


def started_at(client: Client) -> datetime:
    """When the server started, by its own clock."""
    seconds = int(str(client.command("SELECT toUnixTimestamp(now()) - uptime()")))
    return datetime.fromtimestamp(seconds, UTC)


def rows_for_warehouse(contract: Contract) -> list[str]:
    """The columns that the loader needs, in the table's order."""
    return column_names(contract)


def _days(client: Client, table: str) -> set[date]:
    return {row[0] for row in client.query(f"SELECT DISTINCT event_date FROM {table}").result_rows}


def _chunks(rows: pa.RecordBatchReader) -> Iterable[pa.Table]:
    """Tables of CHUNK_ROWS rows or CHUNK_BYTES, the last of fewer; the cut depends on the rows
    alone, not on the batches that they come in.
    """
    held: list[pa.RecordBatch] = []
    count = size = 0
    for batch in rows:
        ends = np.cumsum(_sizes(batch))
        start = 0
        while start < batch.num_rows:
            before = ends[start - 1] if start else 0
            fitting = int(np.searchsorted(ends, before + CHUNK_BYTES - size, "left")) + 1
            stop = min(batch.num_rows, fitting, start + CHUNK_ROWS - count)
            held.append(batch.slice(start, stop - start))
            count += stop - start
            size += int(ends[stop - 1] - before)
            if count >= CHUNK_ROWS or size >= CHUNK_BYTES:
                yield pa.Table.from_batches(held, rows.schema)
                held, count, size = [], 0, 0
            start = stop
    if count:
        yield pa.Table.from_batches(held, rows.schema)


def _sizes(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """The bytes of each row's texts, which are what makes a row wide."""
    sizes = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            sizes += pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
        elif pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
            lengths = pc.fill_null(pc.binary_length(column.flatten()), 0)
            parents = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
            weights = lengths.to_numpy(zero_copy_only=False)
            sizes += np.bincount(parents, weights, batch.num_rows).astype(np.int64)
    return sizes
