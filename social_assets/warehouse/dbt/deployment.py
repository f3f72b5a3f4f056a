"""Makes the warehouse: databases, `cleaned.*` from the contracts, and all that dbt builds on them.

Here belongs what must stand before the first row arrives. A table or view is made before anything
is inserted in front of it, so that no row passes a view that is not there yet.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.warehouse import ddl
from social_assets.warehouse.dbt.project import (
    DbtProject,
    dbt_arguments,
    dbt_environment,
    exclusive,
    prepare,
    run_dbt,
)
from social_assets.warehouse.half_loaded import half_loaded_batches
from social_assets.warehouse.pending_days import ALL_DAYS, BEHIND, CLEANED, record_pending

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_log = logging.getLogger(__name__)
_DEPLOYMENTS = "star.deployments"
_LOG_COMMENT = "deploy_warehouse"
_THREADS = 4
_LAYERS = ("star", "rollups")
"""Where a version before the database `internal` kept the views."""


@dataclass(frozen=True)
class Deployment:
    """What a deployment did. `remade` are tables and views that had been there, and were not."""

    is_changed: bool
    remade: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.is_changed

    def __str__(self) -> str:
        if not self.remade:
            return "deployed" if self.is_changed else "nothing to do"
        return (
            f"missing in the warehouse, and made again: {', '.join(self.remade)}. The next load, "
            "drain or `social-assets deploy` fills them from the lake"
        )


def deploy_warehouse(endpoint: Endpoint, home: Home) -> Deployment:
    """Bring the warehouse to what contracts and dbt project say.

    Safe to call before every load: when nothing changed it costs four small queries. No row is
    moved; a table or view that somebody dropped is made again, and the result names it. A view
    whose SELECT changed is altered in place; days from before the change keep their rows until
    they are backfilled.

    Views are not moved to another database while a batch is half loaded: a table knows a repeated
    insert by the name of the view that it comes through.
    """
    project = prepare(home)
    digest = _digest(project)
    with exclusive(home.path / "dbt" / "deploy.lock"):
        client = connect(endpoint, _LOG_COMMENT)
        try:
            is_known = _deployed(client) == digest
            missing = _missing(client, project) if is_known else ()
            if is_known and not missing:
                return Deployment(is_changed=False)
            if missing:
                _log.warning("%s", Deployment(is_changed=True, remade=missing))
                _record_lost_rows(client, project, missing)
            _create_cleaned(client)
            views = _misplaced_views(client, project)
            half_loaded = [
                batch
                for contract in contracts()
                if views
                for batch in half_loaded_batches(client, contract)
            ]
            if half_loaded:
                _log.warning(
                    "the warehouse is not upgraded yet: %d batches were inserted in part (%s ...); "
                    "the next load completes them, and the one after it upgrades",
                    len(half_loaded),
                    half_loaded[0],
                )
                return Deployment(is_changed=False)
            _move_views(client, views)
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
    return Deployment(is_changed=True, remade=missing)


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


def _missing(client: Client, project: DbtProject) -> tuple[str, ...]:
    """The tables and views of contracts and dbt project that are not there."""
    wanted = {f"{ddl.DATABASE}.{contract.name}" for contract in contracts()}
    nodes = project.manifest()["nodes"].values()
    wanted |= {
        f"{node['schema']}.{node['alias']}" for node in nodes if node["resource_type"] == "model"
    }
    there = client.query(
        "SELECT concat(database, '.', name) FROM system.tables\n"
        "WHERE database IN {databases:Array(String)}",
        parameters={"databases": sorted({name.partition(".")[0] for name in wanted})},
    ).result_rows
    return tuple(sorted(wanted.difference(row[0] for row in there)))


def _record_lost_rows(client: Client, project: DbtProject, missing: Sequence[str]) -> None:
    """Record the days that missing tables held, or missing views did not bring, as pending.

    Before the tables are made again: a process that is killed in between loses nothing. A view that
    only shows rows lacks none.
    """
    shown = {
        f"{node['schema']}.{node['alias']}"
        for node in project.manifest()["nodes"].values()
        if node["config"]["materialized"] == "view"
    }
    lost = set(missing) - shown
    for contract in contracts():
        if f"{ddl.DATABASE}.{contract.name}" in lost:
            record_pending(client, contract.name, (CLEANED, *BEHIND), [ALL_DAYS], "")
        elif any(not name.startswith(f"{ddl.DATABASE}.") for name in lost):
            record_pending(client, contract.name, BEHIND, [ALL_DAYS], "")


def _create_cleaned(client: Client) -> None:
    client.command(ddl.create_database())
    for contract in contracts():
        client.command(ddl.create_table(contract))


@dataclass(frozen=True)
class _Misplaced:
    """A view that an older version kept in another database; `stands_twice`: in both."""

    database: str
    name: str
    target: str
    stands_twice: bool


def _misplaced_views(client: Client, project: DbtProject) -> list[_Misplaced]:
    nodes = project.manifest()["nodes"].values()
    wanted: dict[str, str] = {
        node["alias"]: node["schema"]
        for node in nodes
        if node["config"]["materialized"] == "materialized_view"
    }
    databases = ", ".join(f"'{name}'" for name in sorted({*wanted.values(), *_LAYERS}))
    found = client.query(
        "SELECT database, name FROM system.tables\n"
        f"WHERE engine = 'MaterializedView' AND database IN ({databases})"
    ).result_rows
    present = {(str(database), str(name)) for database, name in found}
    return [
        _Misplaced(database, name, wanted[name], (wanted[name], name) in present)
        for database, name in sorted(present)
        if wanted.get(name, database) != database
    ]


def _move_views(client: Client, views: Sequence[_Misplaced]) -> None:
    """Move views to the database of their models.

    RENAME moves a view at once: no row passes it twice, or not at all.
    """
    for view in views:
        if view.stands_twice:
            client.command(f"DROP VIEW IF EXISTS {view.database}.{view.name} SYNC")
        else:
            client.command(f"CREATE DATABASE IF NOT EXISTS {view.target}")
            client.command(f"RENAME TABLE {view.database}.{view.name} TO {view.target}.{view.name}")


def _drop_forgotten(client: Client, project: DbtProject) -> None:
    """Drop views that no model has any more, which would count on, and staging of killed runs."""
    nodes = project.manifest()["nodes"].values()
    known = {f"{node['schema']}.{node['alias']}" for node in nodes}
    forgotten = client.query(
        "SELECT concat(database, '.', name), engine FROM system.tables\n"
        "WHERE database IN ('star', 'rollups', 'internal') AND (\n"
        "  engine = 'MaterializedView' OR name LIKE '%\\_\\_staging\\_%'\n"
        "  AND metadata_modification_time < now() - INTERVAL 1 DAY)"
    ).result_rows
    for table, engine in forgotten:
        if table not in known:
            kind = "VIEW" if engine == "MaterializedView" else "TABLE"
            client.command(f"DROP {kind} IF EXISTS {table} SYNC")
