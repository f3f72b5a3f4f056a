"""Drops expired days of a ClickHouse table.

Belongs here: only dropping; the contracts say which days. Partitions are dropped, and no TTL clause
is used: a TTL takes effect whenever a merge reaches it, so no check could tell expired rows from
lost ones; it would empty the staging table in which an old day is rebuilt; and a changed contract
would change the table. A partition is dropped in one step, after it is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class Sizes:
    """Rows and bytes on disk of a day."""

    rows: int
    size_bytes: int


def days_before(client: Client, table: str, limit: date) -> dict[date, Sizes]:
    """The days of `database.table` before a date."""
    found = client.query(
        "SELECT toDate(partition), sum(rows), sum(bytes_on_disk) FROM system.parts\n"
        "WHERE active AND concat(database, '.', table) = {table:String}\n"
        "  AND toDate(partition) < {limit:Date}\n"
        "GROUP BY 1 ORDER BY 1",
        parameters={"table": table, "limit": limit},
    ).result_rows
    return {day: Sizes(rows, size) for day, rows, size in found}


def drop_days(client: Client, table: str, days: dict[date, Sizes]) -> None:
    """Drop days of `database.table`, one step a day. No view is run."""
    for day in sorted(days):
        client.command(f"ALTER TABLE {table} DROP PARTITION '{day.isoformat()}'")
