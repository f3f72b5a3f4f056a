"""Rows and bytes of the days of a warehouse's table.

Belongs here: sizes only. A partition of a table holds a day, or a month where the dbt model says so
(`partition_by`); here is the one place that reads sizes of partitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

MONTHLY = "toStartOfMonth(event_date)"
"""The partition key of a table whose partitions hold months. The value is a date, like a day's."""


@dataclass(frozen=True)
class Sizes:
    """Rows and bytes on disk of a day."""

    rows: int
    size_bytes: int


def is_monthly(client: Client, table: str) -> bool:
    """Whether a partition of `database.table` holds a month."""
    found = client.query(
        "SELECT partition_key FROM system.tables\n"
        "WHERE concat(database, '.', name) = {table:String}",
        parameters={"table": table},
    ).result_rows
    return found == [(MONTHLY,)]


def sizes_by_day(
    client: Client, table: str, first: date | None = None, last: date | None = None
) -> dict[date, Sizes]:
    """The days of `database.table` that have rows, of all or from `first` to `last`.

    A day's bytes in a table of months are its share of the month's, by rows.
    """
    parameters = {
        "table": table,
        "first": first or date(1970, 1, 1),
        "last": last or date(2149, 6, 6),
    }
    of_partitions = (
        "SELECT toDate(partition) AS held, sum(rows) AS rows, sum(bytes_on_disk) AS bytes\n"
        "FROM system.parts WHERE active AND concat(database, '.', table) = {table:String}\n"
        "GROUP BY held"
    )
    query = f"SELECT * FROM ({of_partitions}) WHERE held BETWEEN {{first:Date}} AND {{last:Date}}"
    if is_monthly(client, table):
        query = (
            "SELECT event_date, days.n, toUInt64(intDiv(parts.bytes * days.n, parts.rows))\n"
            f"FROM (SELECT event_date, count() AS n FROM {table}\n"
            "  WHERE event_date BETWEEN {first:Date} AND {last:Date} GROUP BY event_date) AS days\n"
            f"JOIN ({of_partitions}) AS parts ON parts.held = toStartOfMonth(days.event_date)"
        )
    found = client.query(f"{query}\nORDER BY 1", parameters=parameters).result_rows
    return {day: Sizes(int(rows), int(size)) for day, rows, size in found}
