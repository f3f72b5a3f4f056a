"""Ids in tables of the warehouse: old parts of tables, and rows that still have one.

Belongs here: looking into every table of every database of ours. Rows are deleted by
rebuilding their days (`erase_persons` and dbt), or with lists by person (`recommend`).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from social_assets.pipeline.privacy.home_files import Remainder
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.warehouse.compared_days import COMPARED_DAYS
from social_assets.warehouse.ddl import create_records

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_NOT_OURS = "('system', 'INFORMATION_SCHEMA', 'information_schema')"
_WITHOUT_RECORDS = (*create_records(), COMPARED_DAYS)
"""Tables of what loaders and checks have done: no value of a record is in them."""
_LONGEST_WAIT_SECONDS = 120.0
_STAGING_WAIT_SECONDS = 20.0
_POLL_SECONDS = 0.25
_WAIT = "wait until the run has ended, then give the same command again"
_AGAIN = "ClickHouse deletes them within some ten minutes; then give the same command again"
_REMEDY = "rebuild its days by social-assets backfill, then give the same command again"


def drop_staging_tables(client: Client) -> list[Remainder]:
    """Drop staging tables that do not end by themselves: runs that were killed leave them.

    They may have rows of before. A run that is alive swaps or drops its own within seconds; one
    that takes longer fails at its next statement and is tried again, with the rows of then. Returns
    those that a query fills at this moment.
    """
    left = _staging_tables(client)
    ends_at = time.monotonic() + _STAGING_WAIT_SECONDS
    while left and time.monotonic() < ends_at:
        time.sleep(_POLL_SECONDS)
        left &= _staging_tables(client)
    filled = []
    for database, table in sorted(left):
        if _is_in_a_query(client, table):
            filled.append(Remainder(f"the table {database}.{table}, which a run fills", _WAIT))
        else:
            name = f"{_quoted(database)}.{_quoted(table)}"
            client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    return filled


def wait_for_old_parts(client: Client) -> list[Remainder]:
    """Wait until ClickHouse has deleted the files of parts and tables that are replaced by now.

    Returns what is left after two minutes. Parts that merges replace meanwhile have rows of now.
    """
    ends_at = time.monotonic() + _LONGEST_WAIT_SECONDS
    left = _old_parts(client)
    while left and time.monotonic() < ends_at:
        time.sleep(_POLL_SECONDS)
        left &= _old_parts(client)
    return [Remainder(f"old files of {table}", _AGAIN) for table in sorted({t for t, _ in left})]


def places_in_warehouse(
    client: Client, persons: PersonIds, person_columns: Collection[str]
) -> list[Remainder]:
    """The tables that still have an id: any id in a column of persons, a distinct one anywhere."""
    patterns = {f"pattern{n}": text for n, text in enumerate(persons.distinct.patterns)}
    parameters = {"ids": sorted(persons.ids), **patterns}
    found = []
    for table, columns in text_columns(client).items():
        texts = [f"toString({_quoted(column)})" for column in columns]
        conditions = [f"match({text}, {{{name}:String}})" for text in texts for name in patterns]
        conditions += [
            f"has({{ids:Array(String)}}, toString({_quoted(column)}))"
            for column in columns
            if column in person_columns
        ]
        if conditions:
            query = f"SELECT count() FROM {table} WHERE {' OR '.join(conditions)}"
            rows = client.query(query, parameters=parameters).result_rows[0][0]
            found += [Remainder(f"{rows:,} rows of {table}", _REMEDY)] if rows else []
    return found


def text_columns(client: Client) -> dict[str, list[str]]:
    """Every table of ours with its columns of texts; no states and no hashes."""
    rows = client.query(
        "SELECT database, table, groupArray(name)\n"
        "FROM system.columns\n"
        "WHERE (database, table) IN (\n"
        "  SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree')\n"
        f"AND database NOT IN {_NOT_OURS}\n"
        "AND type LIKE '%String%' AND type NOT LIKE '%FixedString%'\n"
        "AND type NOT LIKE 'AggregateFunction%'\n"
        "GROUP BY database, table ORDER BY database, table"
    ).result_rows
    return {f"{_quoted(database)}.{_quoted(table)}": names for database, table, names in rows}


def _staging_tables(client: Client) -> set[tuple[str, str]]:
    rows = client.query(
        "SELECT database, name FROM system.tables\n"
        f"WHERE name LIKE '%\\_\\_staging%' AND database NOT IN {_NOT_OURS}"
    ).result_rows
    return {(database, table) for database, table in rows}


def _is_in_a_query(client: Client, table: str) -> bool:
    """Whether a query that runs now, but this one, names the table."""
    found = client.query(
        "SELECT count() FROM system.processes\n"
        "WHERE position(query, {table:String}) > 0 AND query_id != queryID()",
        parameters={"table": table},
    ).result_rows
    return bool(found[0][0])


def _old_parts(client: Client) -> set[tuple[str, str]]:
    """Parts that are no longer read, by table and name, and dropped tables. An empty part has
    nothing of anybody.
    """
    rows = client.query(
        "SELECT database || '.' || table, part FROM (\n"
        "  SELECT database, table, name AS part FROM system.parts WHERE NOT active AND rows > 0\n"
        "  UNION ALL\n"
        "  SELECT database, table, toString(uuid) FROM system.dropped_tables)\n"
        f"WHERE database NOT IN {_NOT_OURS}"
    ).result_rows
    return {(table, part) for table, part in rows if table not in _WITHOUT_RECORDS}


def _quoted(name: str) -> str:
    return f"`{name}`"
