"""`star.deployments`: what the deployments of this server have left, one row a change.

Belongs here: writing and reading it. What follows from it is the business of `deployment.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.warehouse.tables import is_of_missing_column, is_of_missing_table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DEPLOYMENTS = "star.deployments"
_ADDED = (
    "tables Map(String, UInt32) COMMENT 'State of each table and view: see TABLE_STATE'",
    "selects Map(String, UInt64) COMMENT 'Hash of what each view reads, and where it writes'",
    "server String COMMENT 'Version of the server, which formats a SELECT its own way'",
)


@dataclass(frozen=True)
class DeploymentRecord:
    """The last deployment. A version before the columns of `_ADDED` left them empty."""

    digest: str
    tables: Mapping[str, int]
    selects: Mapping[str, int]
    server: str


def last_deployment(client: Client) -> DeploymentRecord | None:
    """The last deployment of this server; None if there was none."""
    try:
        return _newest(client, "tables, selects, server")
    except Exception as error:
        if is_of_missing_table(error):
            return None
        if not is_of_missing_column(error):
            raise
    return _newest(client, "map(), map(), ''")


TABLE_STATE = "toUInt32(cityHash64(toString(uuid), metadata_modification_time, create_table_query))"
"""Changes with every change of a table or view; the time alone does not, for it is in seconds."""

VIEW_HASH = "cityHash64(as_select, extract(create_table_query, ' TO ([^ ]+)'))"
"""What a view reads, and for a materialized one where it writes."""


def record_deployment(
    client: Client, digest: str, names: Sequence[str], kept: Sequence[str] = ()
) -> None:
    """Record that the tables and views of these names are now as they are to be; without `kept`,
    which the next deployment examines again.
    """
    client.command("CREATE DATABASE IF NOT EXISTS star")
    client.command(
        f"CREATE TABLE IF NOT EXISTS {DEPLOYMENTS} (\n"
        "  digest String COMMENT 'Identity of contracts and dbt project',\n"
        "  deployed_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it stood'\n"
        ") ENGINE = MergeTree ORDER BY deployed_at\n"
        "COMMENT 'What deploy_warehouse has built: one row a change'"
    )
    added = ", ".join(f"ADD COLUMN IF NOT EXISTS {column}" for column in _ADDED)
    client.command(f"ALTER TABLE {DEPLOYMENTS} {added}")
    client.command(
        f"INSERT INTO {DEPLOYMENTS} (digest, tables, selects, server)\n"
        "SELECT {digest:String},\n"
        "  mapFromArrays(groupArray(full_name), groupArray(state)),\n"
        "  mapFromArrays(groupArrayIf(full_name, is_view), groupArrayIf(hash, is_view)),\n"
        "  version()\n"
        "FROM (\n"
        "  SELECT concat(database, '.', name) AS full_name, engine LIKE '%View' AS is_view,\n"
        f"    if(full_name IN {{kept:Array(String)}}, 0, {TABLE_STATE}) AS state,\n"
        f"    {VIEW_HASH} AS hash\n"
        "  FROM system.tables\n"
        "  WHERE database IN {databases:Array(String)}\n"
        ") WHERE full_name IN {names:Array(String)}",
        parameters={
            "digest": digest,
            "names": list(names),
            "kept": list(kept),
            "databases": databases_of(names),
        },
    )


def _newest(client: Client, columns: str) -> DeploymentRecord | None:
    found = client.query(
        f"SELECT digest, {columns} FROM {DEPLOYMENTS} ORDER BY deployed_at DESC LIMIT 1"
    ).result_rows
    return DeploymentRecord(*found[0]) if found else None


def databases_of(names: Sequence[str]) -> list[str]:
    """The databases of tables `database.name`."""
    return sorted({name.partition(".")[0] for name in names})
