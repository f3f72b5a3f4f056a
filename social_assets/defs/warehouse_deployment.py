"""Makes the warehouse: databases, `cleaned.*` from the contracts, and all that dbt builds on them.

Here belongs what must stand before the first row arrives. A table or view is made before anything
is inserted in front of it, so that no row passes a view that is not there yet.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from resources.clickhouse import connect
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.dbt_project import (
    DbtProject,
    dbt_arguments,
    dbt_environment,
    exclusive,
    prepare,
    run_dbt,
)
from social_assets.warehouse import ddl

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_DEPLOYMENTS = "star.deployments"
_LOG_COMMENT = "deploy_warehouse"
_THREADS = 4


def deploy_warehouse(endpoint: Endpoint, home: Home) -> bool:
    """Bring the warehouse to what contracts and dbt project say; True if anything was to do.

    Safe to call before every load: when nothing changed it costs three small queries. No row is
    moved. A view whose SELECT changed is altered in place; days from before the change keep
    their rows until they are backfilled.
    """
    project = prepare(home)
    digest = _digest(project)
    with exclusive(home.path / "dbt" / "deploy.lock"):
        client = connect(endpoint, _LOG_COMMENT)
        try:
            if _deployed(client) == digest:
                return False
            _create_cleaned(client)
            environment = dbt_environment(endpoint, _LOG_COMMENT, _THREADS)
            for _ in run_dbt(project, dbt_arguments("run"), environment, home.logs):
                pass
            _drop_forgotten(client, project)
            client.command(
                f"INSERT INTO {_DEPLOYMENTS} (digest) VALUES ({{digest:String}})",
                parameters={"digest": digest},
            )
        finally:
            client.close()
    return True


def _digest(project: DbtProject) -> str:
    content = hashlib.sha256(project.digest.encode())
    for contract in contracts():
        content.update(ddl.create_table(contract).encode())
    return content.hexdigest()[:16]


def _deployed(client: Client) -> str | None:
    """What was deployed last on this server."""
    client.command("CREATE DATABASE IF NOT EXISTS star")
    client.command(
        f"CREATE TABLE IF NOT EXISTS {_DEPLOYMENTS} (\n"
        "  digest String COMMENT 'Identity of contracts and dbt project',\n"
        "  deployed_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it stood'\n"
        ") ENGINE = MergeTree ORDER BY deployed_at\n"
        "COMMENT 'What deploy_warehouse has built: one row a change'"
    )
    rows = client.query(
        f"SELECT digest FROM {_DEPLOYMENTS} ORDER BY deployed_at DESC LIMIT 1"
    ).result_rows
    return str(rows[0][0]) if rows else None


def _create_cleaned(client: Client) -> None:
    client.command(ddl.create_database())
    for contract in contracts():
        client.command(ddl.create_table(contract))


def _drop_forgotten(client: Client, project: DbtProject) -> None:
    """Drop views that no model has any more, which would count on, and staging of killed runs."""
    nodes = project.manifest()["nodes"].values()
    known = {f"{node['schema']}.{node['alias']}" for node in nodes}
    forgotten = client.query(
        "SELECT concat(database, '.', name), engine FROM system.tables\n"
        "WHERE database IN ('star', 'rollups') AND (\n"
        "  engine = 'MaterializedView' OR name LIKE '%\\_\\_staging\\_%'\n"
        "  AND metadata_modification_time < now() - INTERVAL 1 DAY)"
    ).result_rows
    for table, engine in forgotten:
        if table not in known:
            kind = "VIEW" if engine == "MaterializedView" else "TABLE"
            client.command(f"DROP {kind} IF EXISTS {table} SYNC")
