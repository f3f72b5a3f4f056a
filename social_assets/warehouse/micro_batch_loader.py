"""Loads micro-batches into ClickHouse, one insert each, on a connection that stays open.

Belongs here: the streaming inserts into `cleaned.<stream>`, and the loader's record of how far it
is. Files and whole days belong to `loader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from social_assets.warehouse.ddl import LOADED_UNTIL, create_records
from social_assets.warehouse.loader import INSERT_SETTINGS, Loader, one_block

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MicroBatchLoader:
    """The loader of one stream's micro-batches, over one open connection."""

    client: Client
    loader: Loader

    def loaded_until(self) -> datetime:
        """All micro-batches that landed until this time are in the table and in those behind it."""
        found = self.client.query(
            f"SELECT max(ingested_at) FROM {LOADED_UNTIL} WHERE stream = {{stream:String}}",
            parameters={"stream": self.loader.contract.name},
        )
        latest: datetime = found.result_rows[0][0]
        return latest.replace(tzinfo=UTC)

    def insert(self, ingested_at: datetime, rows: pa.Table) -> None:
        """Insert one micro-batch's cleaned rows, which `ingested_at` identifies; again changes
        nothing, at any level: the table and those behind it remember the token.
        """
        if rows.num_rows == 0:
            return
        token = f"micro_batch:{ingested_at.isoformat()}"
        self.client.insert_arrow(
            self.loader.table,
            one_block(rows),
            settings={**INSERT_SETTINGS, "insert_deduplication_token": token},
        )

    def mark_loaded(self, until: datetime) -> None:
        """Record that all micro-batches until this time are loaded."""
        self.client.insert(
            LOADED_UNTIL,
            [[self.loader.contract.name, until]],
            column_names=["stream", "ingested_at"],
            settings={"async_insert": 0},
        )


@contextmanager
def micro_batch_loader(loader: Loader) -> Iterator[MicroBatchLoader]:
    """A loader for the block; creates missing tables."""
    loader.prepare()
    with loader.clickhouse.client(loader.log_comment) as client:
        client.command(create_records()[LOADED_UNTIL])
        yield MicroBatchLoader(client, loader)
