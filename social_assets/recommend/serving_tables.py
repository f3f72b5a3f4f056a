"""Serving tables: their columns, and how they are filled and swapped.

Belongs here: what all of them share. Readers see the old rows or the new ones, never a part. The
content of each table belongs to `top_n` and `similar_items`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

DATABASE = "recsys"

_CHUNK_ROWS = 250_000


@dataclass(frozen=True)
class ServingColumn:
    """A column of a serving table."""

    name: str
    type: str
    meaning: str


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


def replace_rows(  # noqa: PLR0917  (each is another thing)
    client: Client,
    table: ServingTable,
    ranked: Iterator[pa.RecordBatch],
    model: LoadedModel,
    run: str,
    computed_at: datetime,
    keep: Callable[[str], None] | None = None,
) -> None:
    """Replace all rows by the ranked rows of `model`.

    `keep` copies unchanged rows into the staging table of the given name, before it is swapped with
    the served table.
    """
    client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    client.command(table.create(table.name))
    _drop_abandoned(client, table)
    with _staging_table(client, table, run) as staging:
        if keep is not None:
            keep(staging)
        for chunk in _chunks(ranked):
            client.insert_arrow(staging, _labelled(chunk, model, computed_at))
        client.command(f"EXCHANGE TABLES {staging} AND {table.name}")


def delete_rows(client: Client, table: ServingTable, column: str, values: Sequence[str]) -> None:
    """Delete the rows with one of the values. Repeating it changes nothing.

    The table is replaced: ClickHouse would keep the text of a mutation, with the values, in a file.
    Also drops the table that a killed call has left.
    """
    if not client.command(f"EXISTS TABLE {table.name}"):
        return
    given, named = {"values": list(values)}, f"has({{values:Array(String)}}, {column})"
    with _staging_table(client, table, "deleting") as staging:
        found = client.query(f"SELECT count() FROM {table.name} WHERE {named}", parameters=given)
        if found.result_rows[0][0]:
            kept = f"INSERT INTO {staging} SELECT * FROM {table.name} WHERE NOT {named}"
            client.command(kept, parameters=given)
            client.command(f"EXCHANGE TABLES {staging} AND {table.name}")


def is_of(client: Client, table: ServingTable, model: LoadedModel) -> bool:
    """Whether the table exists with these columns, and all of its rows are by this version."""
    columns = client.query(
        "SELECT name FROM system.columns WHERE concat(database, '.', table) = {table:String}\n"
        "ORDER BY position",
        parameters={"table": table.name},
    ).result_rows
    if [name for (name,) in columns] != [column.name for column in table.columns]:
        return False
    versions = client.query(f"SELECT DISTINCT model, model_version FROM {table.name}").result_rows
    its = (model.manifest["model"], model.manifest["version"])
    return [tuple(row) for row in versions] == [its]


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
def _staging_table(client: Client, table: ServingTable, run: str) -> Iterator[str]:
    """A staging table of this run, dropped at the end of the block."""
    name = table.staging + run.replace("-", "_")
    client.command(f"DROP TABLE IF EXISTS {name} SYNC")
    client.command(table.create(name))
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


def _chunks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of at least _CHUNK_ROWS rows, the last of fewer."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= _CHUNK_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _labelled(rows: pa.Table, model: LoadedModel, computed_at: datetime) -> pa.Table:
    """Add model, version and time to every row."""
    import pyarrow as pa

    constants: Sequence[tuple[str, pa.Scalar]] = (
        ("model", pa.scalar(model.manifest["model"])),
        ("model_version", pa.scalar(model.manifest["version"])),
        ("computed_at", pa.scalar(computed_at, pa.timestamp("us", "UTC"))),
    )
    for name, value in constants:
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
