"""Serving tables: their columns, and how they are filled and swapped.

Belongs here: what all of them share. Readers see the old rows or the new ones, never a part. The
content of each table belongs to the room that declares it: recommenders, experiments, forecasts,
features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client


@dataclass(frozen=True)
class ServingColumn:
    """A column of a serving table."""

    name: str
    type: str
    meaning: str

    @property
    def arrow_type(self) -> pa.DataType:
        """The type of Arrow that is inserted into it."""
        import pyarrow as pa

        return {
            "Date": pa.date32(),
            "UInt64": pa.uint64(),
            "Float64": pa.float64(),
            "Nullable(Float64)": pa.float64(),
            "Bool": pa.bool_(),
            "Array(String)": pa.list_(pa.string()),
            "Array(UInt64)": pa.list_(pa.uint64()),
            "DateTime('UTC')": pa.timestamp("s", "UTC"),
            "DateTime64(6, 'UTC')": pa.timestamp("us", "UTC"),
        }.get(self.type, pa.string())


@dataclass(frozen=True)
class ServingTable:
    """A table that is replaced as a whole: readers see the old rows or the new ones,
    never a part.
    """

    name: str
    columns: Sequence[ServingColumn]
    order: str
    constraints: Sequence[str]
    meaning: str

    @property
    def staging(self) -> str:
        """The prefix of the names of its staging tables."""
        return f"{self.name}__staging_"

    def create(self, name: str) -> str:
        """The DDL of a table of this shape."""
        columns = ",\n".join(
            f"  {c.name} {c.type} COMMENT '{_quoted(c.meaning)}'" for c in self.columns
        )
        return (
            f"CREATE TABLE IF NOT EXISTS {name} (\n{columns}\n)\n"
            f"ENGINE = MergeTree ORDER BY ({self.order})\n"
            f"COMMENT '{_quoted(self.meaning)}'"
        )


@contextmanager
def swapped(client: Client, table: ServingTable, run: str) -> Iterator[str]:
    """A staging table of this run, which takes the place of the table at the end of the block.

    An error leaves the table as it is. Also drops staging tables of runs that were killed.
    """
    database, _, _ = table.name.partition(".")
    client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    client.command(table.create(table.name))
    _drop_abandoned(client, table)
    with _dropped(client, table.staging + run.replace("-", "_")) as staging:
        client.command(table.create(staging))
        yield staging
        client.command(f"EXCHANGE TABLES {staging} AND {table.name}")


def replace_all_rows(client: Client, table: ServingTable, rows: pa.Table, run: str) -> None:
    """Replace all rows by these, which have every column. Repeating it changes nothing."""
    with swapped(client, table, run) as staging:
        if rows.num_rows:
            client.insert_arrow(staging, rows)


def replace_by_select(
    client: Client,
    table: ServingTable,
    select: str,
    run: str,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Replace all rows by those of a SELECT with the columns of the table, in their order."""
    with swapped(client, table, run) as staging:
        client.command(f"INSERT INTO {staging}\n{select}", settings=dict(settings or {}))


def delete_rows(client: Client, table: ServingTable, column: str, values: Sequence[str]) -> None:
    """Delete the rows with one of the values. Repeating it changes nothing.

    The table is replaced: ClickHouse would keep the text of a mutation, with the values, in a file.
    It keeps its columns, also those of another release. Also drops the table that a killed call has
    left.
    """
    if not client.command(f"EXISTS TABLE {table.name}"):
        return
    given, named = {"values": list(values)}, f"has({{values:Array(String)}}, {column})"
    with _dropped(client, f"{table.staging}deleting") as staging:
        found = client.query(f"SELECT count() FROM {table.name} WHERE {named}", parameters=given)
        if found.result_rows[0][0]:
            client.command(f"CREATE TABLE {staging} AS {table.name}")
            kept = f"INSERT INTO {staging} SELECT * FROM {table.name} WHERE NOT {named}"
            client.command(kept, parameters=given)
            client.command(f"EXCHANGE TABLES {staging} AND {table.name}")


def rows_of_table(client: Client, table: ServingTable) -> int:
    """The number of served rows."""
    [(rows,)] = client.query(f"SELECT count() FROM {table.name}").result_rows
    return int(rows)


def size_of_table(client: Client, table: ServingTable) -> int:
    """The bytes of the table on disk."""
    [(size,)] = client.query(
        "SELECT sum(bytes_on_disk) FROM system.parts"
        " WHERE active AND concat(database, '.', table) = {table:String}",
        parameters={"table": table.name},
    ).result_rows
    return int(size)


@contextmanager
def _dropped(client: Client, name: str) -> Iterator[str]:
    """A name whose table is dropped before the block, if a killed call has left it, and after."""
    client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    try:
        yield name
    finally:
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")


def _drop_abandoned(client: Client, table: ServingTable) -> None:
    """Drop the staging tables of runs that were killed."""
    abandoned = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE startsWith(concat(database, '.', name), {prefix:String})\n"
        "  AND metadata_modification_time < now() - INTERVAL 1 DAY",
        parameters={"prefix": table.staging},
    ).result_rows
    for (name,) in abandoned:
        client.command(f"DROP TABLE IF EXISTS {name} SYNC")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
