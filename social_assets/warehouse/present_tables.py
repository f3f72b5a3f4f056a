"""Which tables of facts, dimensions and rollups the warehouse has.

Belongs here: their names alone. `survey` compares them with what is declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DATABASES = ("star", "rollups")


def present_tables(client: Client) -> frozenset[str]:
    """The tables, as `database.table`. A new version's table is absent until its deployment."""
    found = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE database IN {databases:Array(String)}",
        parameters={"databases": list(DATABASES)},
    )
    return frozenset(str(name) for (name,) in found.result_rows)
