"""Drops expired days of a ClickHouse table.

Belongs here: only dropping; the contracts say which days. Partitions are dropped, and no TTL clause
is used: a TTL takes effect whenever a merge reaches it, so no check could tell expired rows from
lost ones; it would empty the staging table in which an old day is rebuilt; and a changed contract
would change the table. A partition is dropped in one step, after it is recorded.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from social_assets.warehouse.day_sizes import Sizes, is_monthly, sizes_by_day

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


def days_before(client: Client, table: str, limit: date) -> dict[date, Sizes]:
    """The days of `database.table` before a date.

    If a partition holds a month: the days of the months that end before that date.
    """
    if is_monthly(client, table):
        limit = limit.replace(day=1)
    return sizes_by_day(client, table, last=limit - timedelta(days=1))


def drop_days(client: Client, table: str, days: dict[date, Sizes]) -> None:
    """Drop days of `database.table`, one step a partition. No view is run."""
    monthly = is_monthly(client, table)
    for held in sorted({day.replace(day=1) if monthly else day for day in days}):
        client.command(f"ALTER TABLE {table} DROP PARTITION '{held.isoformat()}'")
