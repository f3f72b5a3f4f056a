"""Days of the warehouse that are not finished: which stream, which layer, since which run.

Belongs here: the table that records them. Whoever changes a layer without what lies behind it, or
makes a table again, records the days before the change. Whoever has rebuilt them records that.
`pipeline.finish_days` finishes what a killed run has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from social_assets.warehouse.ddl import DATABASE, create_database

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PENDING_DAYS = f"{DATABASE}.pending_days"
CLEANED, STAR, ROLLUPS = "cleaned", "star", "rollups"
BEHIND = (STAR, ROLLUPS)
"""The layers that dbt builds from `cleaned.<stream>`."""

ALL_DAYS = date(1970, 1, 1)
"""Stands for every day of the stream: the rows of a table are gone, and nobody knows which."""


@dataclass(frozen=True)
class PendingDay:
    """A day of a layer that does not yet hold what the layer before it holds."""

    stream: str
    layer: str
    event_date: date
    run_id: str


def record_pending(
    client: Client, stream: str, layers: Iterable[str], days: Sequence[date], run_id: str
) -> None:
    """Record days before they are changed. Recording them again changes nothing."""
    _record(client, stream, layers, days, run_id, is_pending=True)


def record_finished(
    client: Client, stream: str, layers: Iterable[str], days: Sequence[date], run_id: str
) -> None:
    """Record that layers hold these days. Only days that are pending need it."""
    _record(client, stream, layers, days, run_id, is_pending=False)


def pending_days(client: Client) -> list[PendingDay]:
    """All pending days, by stream, layer and day."""
    _prepare(client)
    found = client.query(
        "SELECT stream, layer, event_date, run_id\n"
        f"FROM {PENDING_DAYS} FINAL\n"
        "WHERE is_pending = 1\n"
        "ORDER BY stream, layer, event_date"
    ).result_rows
    return [PendingDay(*row) for row in found]


def _record(
    client: Client,
    stream: str,
    layers: Iterable[str],
    days: Sequence[date],
    run_id: str,
    *,
    is_pending: bool,
) -> None:
    pairs = [(layer, day) for layer in layers for day in days]
    if not pairs:
        return
    _prepare(client)
    rows = pa.table(
        {
            "stream": pa.repeat(pa.scalar(stream), len(pairs)),
            "layer": pa.array([layer for layer, _ in pairs]),
            "event_date": pa.array([day for _, day in pairs], pa.date32()),
            "run_id": pa.repeat(pa.scalar(run_id), len(pairs)),
            "is_pending": pa.repeat(pa.scalar(int(is_pending), pa.uint8()), len(pairs)),
        }
    )
    client.insert_arrow(PENDING_DAYS, rows, settings={"async_insert": 0, "insert_deduplicate": 0})


def _prepare(client: Client) -> None:
    client.command(create_database())
    client.command(
        f"CREATE TABLE IF NOT EXISTS {PENDING_DAYS} (\n"
        "  stream LowCardinality(String), layer LowCardinality(String), event_date Date32,\n"
        "  run_id String, is_pending UInt8,\n"
        "  changed_at DateTime64(6, 'UTC') DEFAULT now64(6)\n"
        ") ENGINE = ReplacingMergeTree(changed_at) ORDER BY (stream, layer, event_date)\n"
        "COMMENT 'Days of a layer that do not yet hold what the layer before it holds'"
    )
