"""Restores altered tables: which can be made anew without losing rows, and which days to fill.

Belongs here: what is done to tables that `survey.py` has found lost or altered. Views are restored
by dbt itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.warehouse import ddl
from social_assets.warehouse.dbt.declared_tables import DAY_COLUMN, DeclaredTable
from social_assets.warehouse.dbt.survey import AlteredTable, Survey
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    BEHIND,
    CLEANED,
    pending_days,
    record_pending,
)
from social_assets.warehouse.tables import exists

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client


class AlteredTableError(RuntimeError):
    """A table was altered so that no row can be inserted, and holds rows that can't be rebuilt."""


@dataclass(frozen=True)
class Restorable:
    """`anew` are tables to be dropped and made again, `as_text` those whose numbers become text.
    `kept` stay as they are, with the reason.
    """

    anew: tuple[AlteredTable, ...] = ()
    as_text: tuple[AlteredTable, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


def restorable(
    client: Client, altered: Sequence[AlteredTable], streams: Sequence[Contract]
) -> Restorable:
    """Which tables can be converted, or made anew without losing rows.

    `streams` are the contracts in force.

    Raises AlteredTableError for one that can't, and can't be filled either.
    """
    anew: list[AlteredTable] = []
    as_text: list[AlteredTable] = []
    kept: dict[str, str] = {}
    for each in altered:
        if not each.differences:
            continue
        if each.numbers_for_text and each.table.kind == "days":
            as_text.append(each)
            continue
        lost = _lost_if_made_anew(client, each.table, streams)
        if not lost:
            anew.append(each)
            continue
        name = each.table.name
        told = (
            f"{each} was altered. It is not made anew, because {lost}. Keep its rows under another "
            f"name: RENAME TABLE {name} TO {name}_kept; the next `social-assets deploy` makes "
            f"{name} again and fills it with the days that can be rebuilt"
        )
        if each.has_other_types:
            raise AlteredTableError(told)
        kept[name] = told
    return Restorable(tuple(anew), tuple(as_text), kept)


def record_lost_rows(
    client: Client, declared: Sequence[DeclaredTable], found: Survey, anew: Iterable[AlteredTable]
) -> None:
    """Record as pending the days whose rows new, lost or altered tables and views lack.

    Before these are made again, so that a process that is killed in between loses nothing; and
    after that, because `finish_days` may have finished them in between.
    """
    columns_lost = [e.table.name for e in found.altered if e.is_touched and e.missing_columns]
    names = {*found.lost, *found.altered_views, *columns_lost, *(e.table.name for e in anew)}
    lacking = [table for table in declared if table.name in names and table.kind != "view"]
    cleaned = {table.streams[0] for table in lacking if table.kind == "cleaned"}
    if any(table.kind == "records" for table in lacking):
        # What is loaded is not known: batches are inserted again, and then all days are swapped.
        cleaned = {each.name for each in contracts()}
    is_behind = any(table.kind in ("days", "feed") for table in lacking)
    feeding_new = {s for table in declared if table.name in found.new for s in table.streams}
    for stream in (each.name for each in contracts()):
        if stream in cleaned:
            record_pending(client, stream, (CLEANED, *BEHIND), [ALL_DAYS], "")
        elif is_behind or stream in feeding_new:
            record_pending(client, stream, BEHIND, [ALL_DAYS], "")


def restore_tables(
    client: Client,
    altered: Sequence[AlteredTable],
    anew: Sequence[AlteredTable],
    streams: Sequence[Contract],
) -> None:
    """Drop the tables that are made anew, make those of `cleaned`, and add columns to others."""
    by_name = {each.name: each for each in streams}
    for each in anew:
        client.command(f"DROP TABLE IF EXISTS {each.table.name} SYNC")
        if each.table.kind == "cleaned":
            client.command(ddl.create_table(by_name[each.table.streams[0]]))
    for each in altered:
        if each.table.kind == "cleaned" and each.missing_columns and each not in anew:
            stream = by_name[each.table.streams[0]]
            client.command(ddl.add_columns(stream, each.missing_columns))


def _lost_if_made_anew(client: Client, table: DeclaredTable, streams: Sequence[Contract]) -> str:
    """Which rows would be lost, in words; "" if none.

    The lake keeps the rows of `cleaned.<stream>` as long. Facts and rollups may be kept longer
    than what they are made of.
    """
    if table.kind == "cleaned" or not _has_rows(client, table):
        return ""
    days = _days(client, table.name)
    if days is None:
        return f"it has rows and no column {DAY_COLUMN}, so that nobody knows their days"
    gone = sorted(day for day in days if day < _first_kept(table, streams)) or sorted(
        days - _days_of_sources(client, table, days)
    )
    if not gone:
        return ""
    sources = ", ".join(f"cleaned.{stream}" for stream in table.streams)
    return f"{len(gone)} of its days, {gone[0]} to {gone[-1]}, are gone from {sources}"


def _first_kept(table: DeclaredTable, streams: Sequence[Contract]) -> date:
    """The first day that all cleaned tables keep which a table is made of."""
    today = datetime.now(UTC).date()
    kept = (c.retention.cleaned_days for c in streams if c.name in table.streams)
    return max(
        (today - timedelta(days=days) for days in kept if days is not None), default=date.min
    )


def _days_of_sources(client: Client, table: DeclaredTable, days: set[date]) -> set[date]:
    """The days that any source holds; all if a source is to be filled from the lake."""
    sources = [f"{ddl.DATABASE}.{stream}" for stream in table.streams]
    pending = {day.stream for day in pending_days(client) if day.layer == CLEANED}
    if pending.intersection(table.streams) or not all(exists(client, name) for name in sources):
        return days
    return set().union(*(_days(client, name) or set() for name in sources))


def _has_rows(client: Client, table: DeclaredTable) -> bool:
    return bool(client.query(f"SELECT 1 FROM {table.name} LIMIT 1").result_rows)


def _days(client: Client, name: str) -> set[date] | None:
    """The days of a table's rows; None if it has no column of days."""
    database, _, table = name.partition(".")
    column = client.query(
        "SELECT type FROM system.columns WHERE database = {database:String}\n"
        "AND table = {table:String} AND name = {column:String}",
        parameters={"database": database, "table": table, "column": DAY_COLUMN},
    ).result_rows
    if column != [("Date",)]:
        return None
    return {row[0] for row in client.query(f"SELECT DISTINCT {DAY_COLUMN} FROM {name}").result_rows}
