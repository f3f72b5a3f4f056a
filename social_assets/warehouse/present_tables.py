"""Which tables the warehouse has: by default facts, dimensions and rollups.

Belongs here: their names alone. `survey` compares them with what is declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DATABASES = ("star", "rollups")


def present_tables(client: Client, databases: Sequence[str] = DATABASES) -> frozenset[str]:
    """The tables, as `database.table`. A new version's table is absent until its deployment."""
    found = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE database IN {databases:Array(String)}",
        parameters={"databases": list(databases)},
    )
    return frozenset(str(name) for (name,) in found.result_rows)


def has_rollups(client: Client) -> bool:
    """Whether any rollup has rows."""
    [(rows,)] = client.query(
        "SELECT sum(rows) FROM system.parts WHERE active AND database = 'rollups'"
    ).result_rows
    return bool(rows)
