"""The newest rows of a table as metadata, so that the asset's page shows its content.

Belongs here: which rows are shown, and how. Only a few rows of one day are read, whatever the size
of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from dagster import MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

from social_assets.contracts.contract import Contract
from social_assets.warehouse.dbt.tables import Table
from social_assets.warehouse.ddl import clickhouse_type

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PREVIEW = "newest_rows"
ROWS = 5
_SHOWN_CHARACTERS = 80
_SECONDS = 10

Cell = str | int | float | bool | None


def newest_rows(client: Client, table: Table, day: date) -> dict[str, TableMetadataValue]:
    """A few rows of one day of a fact, dimension or rollup."""
    return _newest(client, table.qualified_name, table.columns, day)


def newest_cleaned_rows(
    client: Client, contract: Contract, day: date
) -> dict[str, TableMetadataValue]:
    """A few rows of one day of a stream's cleaned table in the warehouse."""
    columns = {c.name: clickhouse_type(c) for c in contract.cleaned_columns}
    return _newest(client, f"cleaned.{contract.name}", columns, day)


def _newest(
    client: Client, table: str, columns: Mapping[str, str], day: date
) -> dict[str, TableMetadataValue]:
    """Rows of one day, newest first if a column has a time; nothing if there are none.

    `columns` are types by name. A table of an older version that waits for its deployment is shown
    without the columns that it lacks. Binary values are shown as hex, states of aggregations as
    their results.
    """
    present = _present(client, table)
    columns = {name: present[name] for name in columns if name in present}
    if not columns:
        return {}
    selected = ", ".join(_selected(name, kind) for name, kind in columns.items())
    times = [name for name, kind in columns.items() if "DateTime" in kind and "Agg" not in kind]
    order = f"ORDER BY `{times[0]}` DESC " if times else ""
    found = client.query(
        f"SELECT {selected} FROM {table} WHERE event_date = {{day:Date}} {order}LIMIT {ROWS}",
        parameters={"day": day},
        settings={"max_execution_time": _SECONDS, "max_threads": 1},
    )
    if not found.result_rows:
        return {}
    records = [
        TableRecord(dict(zip(columns, map(_cell, row), strict=True))) for row in found.result_rows
    ]
    schema = TableSchema([TableColumn(name, kind) for name, kind in columns.items()])
    return {PREVIEW: MetadataValue.table(records, schema)}


def _present(client: Client, table: str) -> dict[str, str]:
    """The types of the columns that a table has, by name; none if there is no such table."""
    database, _, name = table.partition(".")
    found = client.query(
        "SELECT name, type FROM system.columns\n"
        "WHERE database = {database:String} AND table = {name:String}",
        parameters={"database": database, "name": name},
    )
    return {str(column): str(kind) for column, kind in found.result_rows}


def _selected(name: str, kind: str) -> str:
    if kind.startswith("AggregateFunction"):
        return f"finalizeAggregation(`{name}`)"
    return f"`{name}`"


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | float):
        # JSON has no NaN and infinity.
        is_figure = not isinstance(value, float) or value - value == 0
        return value if is_figure else str(value)
    if isinstance(value, bytes):
        return value.hex()
    text = value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
