"""Lists of a model in serving tables: filled with its name, version and time on every row.

Belongs here: what the lists of all models share. Swapping a table belongs to
`warehouse.served.serving_tables`, the content of each to `top_n` and `similar_items`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from social_assets.warehouse.served.serving_tables import ServingTable, swapped

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

DATABASE = "recsys"

_CHUNK_ROWS = 250_000


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
    with swapped(client, table, run) as staging:
        if keep is not None:
            keep(staging)
        for chunk in _chunks(ranked):
            client.insert_arrow(staging, _labelled(chunk, model, computed_at))


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
