"""The serving table `recsys.top_n`: the best posts of every user, by the champion.

Here belongs the table, what fills it, and how serving tables are filled and swapped. Readers see
the old rows or the new ones, never a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dagster import TableColumn, TableColumnConstraints, TableConstraints, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

DATABASE = "recsys"
TABLE = f"{DATABASE}.top_n"
ITEMS_A_USER = 20

_CHUNK_ROWS = 250_000


@dataclass(frozen=True)
class Column:
    """A column of a serving table."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class ServingTable:
    """A table that is replaced as a whole: readers see the old rows or the new, never a part."""

    name: str
    columns: Sequence[Column]
    order: str
    constraints: Sequence[str]
    meaning: str

    @property
    def staging(self) -> str:
        """How the names of the tables begin that are filled beside it."""
        return f"{self.name}__staging_"

    def schema(self) -> TableSchema:
        """The columns, for the UI."""
        filled = TableColumnConstraints(nullable=False)
        return TableSchema(
            columns=[
                TableColumn(column.name, column.type, column.meaning, constraints=filled)
                for column in self.columns
            ],
            constraints=TableConstraints(other=list(self.constraints)),
        )

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


TOP_N = ServingTable(
    name=TABLE,
    columns=(
        Column("user_id", "String", "For whom"),
        Column("rank", "UInt16", "Place in the user's list, from 1"),
        Column("item_id", "String", "The post"),
        Column("score", "Float32", "The model's score; compare within one user and version only"),
        Column("model", "LowCardinality(String)", "Which model"),
        Column("model_version", "LowCardinality(String)", "Which version of it"),
        Column("computed_at", "DateTime64(6, 'UTC')", "When"),
    ),
    order="user_id, rank",
    constraints=("one row a user_id and rank", f"at most {ITEMS_A_USER} rows a user_id"),
    meaning=f"Recommended posts: one row a user and rank, at most {ITEMS_A_USER} a user",
)


def replace_rows(  # noqa: PLR0917  (each is another thing)
    client: Client,
    table: ServingTable,
    ranked: Iterator[pa.RecordBatch],
    model: LoadedModel,
    run: str,
    computed_at: datetime,
) -> int:
    """Put the ranked rows, by `model`, in the place of all there are; returns their number."""
    client.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    client.command(table.create(table.name))
    _drop_abandoned(client, table)
    rows = 0
    with _staging_table(client, table, run) as staging:
        for chunk in _chunks(ranked):
            client.insert_arrow(staging, _labelled(chunk, model, computed_at))
            rows += chunk.num_rows
        client.command(f"EXCHANGE TABLES {staging} AND {table.name}")
    return rows


def size_of_table(client: Client, table: ServingTable) -> int:
    """Bytes of the table on disk."""
    [(size,)] = client.query(
        "SELECT sum(bytes_on_disk) FROM system.parts"
        " WHERE active AND concat(database, '.', table) = {table:String}",
        parameters={"table": table.name},
    ).result_rows
    return int(size)


@contextmanager
def _staging_table(client: Client, table: ServingTable, run: str) -> Iterator[str]:
    """A table of this run alone, dropped in the end, with whatever it then holds."""
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


def recommendations_of(model: LoadedModel) -> Iterator[pa.RecordBatch]:
    """What no user has seen yet, best first; users without interactions are left out."""
    import numpy as np
    import pyarrow as pa

    from recsys.ranking import batches, rank_in_batches
    from recsys.recommendations import ranked_rows

    users, items = np.flatnonzero(model.seen.lengths), len(model.items)
    for rows in batches(len(users), max(ITEMS_A_USER, items)):
        own = users[rows]
        ids, scores = rank_in_batches(
            _scores_of(model, own), model.seen.take(own), items, ITEMS_A_USER
        )
        yield ranked_rows(model.users.take(pa.array(own)), model.items, ids, scores)


def _scores_of(model: LoadedModel, users: Any) -> Any:
    return lambda rows: model.form.scores(users[rows], model.histories.take(users[rows]))


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
    """With model, version and time in every row."""
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
