"""Which tables the warehouse has.

Belongs here: questions about a table as such. Its rows are the business of whoever fills it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_UNKNOWN_IDENTIFIER, _UNKNOWN_TABLE, _UNKNOWN_DATABASE = 47, 60, 81


def exists(client: Client, table: str) -> bool:
    """Whether there is a table `database.name`; false if there is no such database."""
    return bool(int(str(client.command(f"EXISTS TABLE {table}"))))


def views_of(client: Client, table: str) -> list[str]:
    """The materialized views that read a table, as `database.name`."""
    database, _, name = table.partition(".")
    found = client.query(
        "SELECT dependencies_database, dependencies_table FROM system.tables\n"
        "WHERE database = {database:String} AND name = {name:String}",
        parameters={"database": database, "name": name},
    ).result_rows
    return [
        f"{of}.{view}"
        for databases, views in found
        for of, view in zip(databases, views, strict=True)
    ]


def is_of_missing_table(error: Exception) -> bool:
    """Whether ClickHouse refused a query because a table or its database does not exist."""
    return getattr(error, "code", None) in (_UNKNOWN_TABLE, _UNKNOWN_DATABASE)


def is_of_missing_column(error: Exception) -> bool:
    """Whether ClickHouse refused a query because a table does not have a column."""
    return getattr(error, "code", None) == _UNKNOWN_IDENTIFIER
