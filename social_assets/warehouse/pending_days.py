"""Days of the warehouse that are not finished: which stream, which layer, since which run.

Belongs here: the table that records them. Whoever changes a layer without what lies behind it, or
makes a table again, records the days before the change. Whoever has rebuilt them records that.
`pipeline.finish_days` finishes what a killed run has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from social_assets.warehouse.ddl import PENDING_DAYS, create_database, create_records
from social_assets.warehouse.tables import is_of_missing_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

CLEANED, STAR, ROLLUPS = "cleaned", "star", "rollups"
BEHIND = (STAR, ROLLUPS)
"""The layers that dbt builds from `cleaned.<stream>`, and that views keep up to date."""

BUILT = (*BEHIND, "features")
"""The layers that dbt builds. No view feeds `features`: a load leaves its days to the next run of
its assets, and what rebuilds pending facts and rollups builds it with them."""

ALL_DAYS = date(1970, 1, 1)
"""Stands for every day of the stream: the rows of a table are gone, and nobody knows which."""

REBUILD = "rebuild-warehouse"
"""Stands in place of a run: the day is one of a rebuild of the whole warehouse."""


@dataclass(frozen=True)
class PendingDay:
    """A day of a layer that does not yet hold what the layer before it holds.

    `changed_at` says when that was recorded: a day can become pending again while it is finished.
    """

    stream: str
    layer: str
    event_date: date
    run_id: str
    changed_at: datetime


def record_pending(
    client: Client, stream: str, layers: Iterable[str], days: Sequence[date], run_id: str
) -> None:
    """Record days before they are changed. Recording them again changes nothing."""
    _record(client, [(stream, layer, day) for layer in layers for day in days], run_id)


def record_rebuild(client: Client, days: Mapping[str, Iterable[date]]) -> None:
    """Record days of all layers, by stream, as those of a rebuild: in one insert, so that a killed
    process has recorded all of them or none.
    """
    layers = (CLEANED, *BEHIND)
    listed = [(name, layer, day) for name in days for layer in layers for day in days[name]]
    _record(client, listed, REBUILD)


def _record(client: Client, listed: Sequence[tuple[str, str, date]], run_id: str) -> None:
    if not listed:
        return
    rows = pa.table(
        {
            "stream": pa.array([stream for stream, _, _ in listed]),
            "layer": pa.array([layer for _, layer, _ in listed]),
            "event_date": pa.array([day for _, _, day in listed], pa.date32()),
            "run_id": pa.repeat(pa.scalar(run_id), len(listed)),
            "is_pending": pa.repeat(pa.scalar(1, pa.uint8()), len(listed)),
        }
    )
    try:
        _insert(client, rows)
    except Exception as error:
        if not is_of_missing_table(error):
            raise
        client.command(create_database())
        client.command(create_records()[PENDING_DAYS])
        _insert(client, rows)


def record_finished(client: Client, finished: Sequence[PendingDay], run_id: str) -> None:
    """Record that layers hold days which were read as pending before the layers were built.

    A day that has become pending again since then stays pending.
    """
    if not finished:
        return
    just_after = timedelta(microseconds=1)
    rows = pa.table(
        {
            "stream": pa.array([day.stream for day in finished]),
            "layer": pa.array([day.layer for day in finished]),
            "event_date": pa.array([day.event_date for day in finished], pa.date32()),
            "run_id": pa.repeat(pa.scalar(run_id), len(finished)),
            "is_pending": pa.repeat(pa.scalar(0, pa.uint8()), len(finished)),
            "changed_at": pa.array(
                [day.changed_at + just_after for day in finished], pa.timestamp("us", "UTC")
            ),
        }
    )
    _insert(client, rows)


def pending_days(client: Client) -> list[PendingDay]:
    """All pending days, by stream, layer and day."""
    try:
        found = client.query(
            "SELECT stream, layer, event_date, run_id, changed_at\n"
            f"FROM {PENDING_DAYS} FINAL\n"
            "WHERE is_pending = 1\n"
            "ORDER BY stream, layer, event_date"
        ).result_rows
    except Exception as error:
        if is_of_missing_table(error):
            return []
        raise
    return [
        PendingDay(stream, layer, day, run_id, changed_at.replace(tzinfo=UTC))
        for stream, layer, day, run_id, changed_at in found
    ]


def _insert(client: Client, rows: pa.Table) -> None:
    client.insert_arrow(PENDING_DAYS, rows, settings={"async_insert": 0, "insert_deduplicate": 0})
