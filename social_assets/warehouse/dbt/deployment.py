"""Creates the warehouse: `cleaned.*` from the contracts, `text.*`, and everything that dbt builds.

Belongs here: what must exist before the first row arrives. A view is created before rows are
inserted into the table that it reads, so that no row is missed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import Endpoint
from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract, contracts
from social_assets.warehouse import ddl, search_tables, text_tables
from social_assets.warehouse.dbt.declared_tables import DeclaredTable
from social_assets.warehouse.dbt.deployment_record import last_deployment, record_deployment
from social_assets.warehouse.dbt.numbers_to_text import convert_to_text
from social_assets.warehouse.dbt.project import (
    PreparedProject,
    dbt_arguments,
    dbt_environment,
    exclusive,
    prepare,
    run_dbt,
)
from social_assets.warehouse.dbt.restore import (
    Restorable,
    record_lost_rows,
    restorable,
    restore_tables,
)
from social_assets.warehouse.dbt.survey import Survey, survey
from social_assets.warehouse.half_loaded import half_loaded_batches

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_log = logging.getLogger(__name__)
_LOG_COMMENT = "deploy_warehouse"
_THREADS = 4
_LAYERS = ("star", "rollups")
"""The databases in which a version before the database `internal` kept the views."""


@dataclass(frozen=True)
class Deployment:
    """What a deployment did.

    `new` are tables that the warehouse did not have yet. `remade` are tables and views that had
    been there, and were not. `altered` were not as declared and are again; `as_text` have their
    rows, with text where they had numbers; `kept` still are not as declared, and why.
    """

    is_changed: bool
    new: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.is_changed

    def __str__(self) -> str:
        told = []
        if self.new:
            told.append(f"new in the warehouse: {', '.join(self.new)}")
        if self.remade:
            told.append(f"missing in the warehouse, and made again: {', '.join(self.remade)}")
        if self.altered:
            told.append(f"altered in the warehouse, and restored: {', '.join(self.altered)}")
        if told:
            told.append("The next load, drain or `social-assets deploy` fills them from the lake")
            told += [
                f"A backfill of `{table.replace('.', '/')}` fills {table}"
                for table in (text_tables.SENTIMENT, search_tables.DOCUMENTS)
                if table in self.remade
            ]
        if self.as_text:
            told.append(f"numbers converted to text: {', '.join(self.as_text)}")
        if not told and not self.kept:
            return "deployed" if self.is_changed else "nothing to do"
        return ". ".join([*told, *self.kept])


def deploy_warehouse(
    endpoint: Endpoint, home: Home, in_force: Sequence[Contract] | None = None
) -> Deployment:
    """Bring the warehouse to what contracts and dbt project say.

    `in_force` are the contracts under which the streams are loaded, by default the declared ones.
    Tables of `cleaned` are as these say. While a stream that dbt reads is loaded under another
    contract than the declared one, nothing is done: the models are written for the declared one.

    Safe to call before every load: when nothing changed it costs three queries. A table or
    view that somebody dropped or altered is restored, and the result names it: its days are
    recorded as pending, for `finish_days` to fill them. A view whose SELECT changed with the
    project is altered in place; days from before the change keep their rows until they are
    backfilled. A table that is new in a warehouse with rows is filled like one that was dropped.

    Raises AlteredTableError if a table can't be filled as it is, nor be made anew without a loss.

    Views are not moved to another database while a batch is half loaded: a table knows a repeated
    insert by the name of the view that it comes through.
    """
    project = prepare(home)
    streams = tuple(contracts() if in_force is None else in_force)
    declared = project.declared(streams)
    if waiting := undeployed(streams, declared):
        return Deployment(is_changed=False, kept=(waits_for(waiting),))
    digest = _digest(project, streams)
    with (
        exclusive(home.path / "dbt" / "deploy.lock"),
        client_of(endpoint, _LOG_COMMENT) as client,
    ):
        last = last_deployment(client)
        found = survey(client, declared, digest, last)
        if found.is_unchanged:
            return Deployment(is_changed=False)
        views = _misplaced_views(client, declared)
        moved = {f"{view.target}.{view.name}" for view in views}
        found = replace(found, lost=tuple(name for name in found.lost if name not in moved))
        plan = restorable(client, found.altered, streams)
        done = _outcome(found, plan)
        if done.remade or done.altered or done.kept:
            _log.warning("%s", done)
        elif done.new:
            _log.info("%s", done)
        remade = (*plan.anew, *plan.as_text)
        record_lost_rows(client, declared, found, remade)
        _create_tables(client, streams)
        if views and (half_loaded := _half_loaded(client, streams)):
            _log.warning(
                "the warehouse is not upgraded yet: %d batches were inserted in part (%s ...); "
                "the next load completes them, and the one after it upgrades",
                len(half_loaded),
                half_loaded[0],
            )
            return Deployment(is_changed=False)
        if last is not None and last.digest == digest and not _is_to_be_built(found, plan):
            # Changed, and still as declared: a comment, or a view that a backfill has replaced.
            record_deployment(client, digest, _names(declared), list(plan.kept))
            return replace(done, is_changed=False)
        restore_tables(client, found.altered, plan.anew, streams)
        for table in plan.as_text:
            convert_to_text(client, table)
        _move_views(client, views)
        environment = dbt_environment(endpoint, _LOG_COMMENT, _THREADS)
        run_dbt(project, dbt_arguments("run"), environment, home.logs)
        _drop_forgotten(client, declared)
        record_lost_rows(client, declared, found, remade)
        record_deployment(client, digest, _names(declared), list(plan.kept))
    return done


def _outcome(found: Survey, plan: Restorable) -> Deployment:
    altered = (
        *(str(each) for each in plan.anew),
        *(
            str(e)
            for e in found.altered
            if e.is_touched and e.missing_columns and e not in plan.anew and e not in plan.as_text
        ),
        *(f"{view} (what it reads)" for view in found.altered_views),
    )
    return Deployment(
        is_changed=True,
        new=found.new,
        remade=found.lost,
        altered=altered,
        as_text=tuple(f"{e.table.name} ({', '.join(e.numbers_for_text)})" for e in plan.as_text),
        kept=tuple(plan.kept.values()),
    )


def _is_to_be_built(found: Survey, plan: Restorable) -> bool:
    lacks_columns = any(each.missing_columns for each in found.altered)
    return bool(found.lost or found.altered_views or plan.anew or plan.as_text or lacks_columns)


def undeployed(streams: Sequence[Contract], declared: Sequence[DeclaredTable]) -> list[str]:
    """The streams that dbt reads and that are loaded under another contract than the declared."""
    read = {name for table in declared if table.kind in ("days", "feed") for name in table.streams}
    return [c.name for c in streams if c.name in read and c is not contract(c.name)]


def waits_for(streams: Sequence[str]) -> str:
    """Why the warehouse stays as it is, in words."""
    return (
        f"the contract of {', '.join(streams)} is not deployed, so the tables and views behind "
        "stay as they are; run `social-assets deploy` (`social-assets plan` shows what it does)"
    )


def _names(declared: Sequence[DeclaredTable]) -> list[str]:
    return [table.name for table in declared]


def _half_loaded(client: Client, streams: Sequence[Contract]) -> list[str]:
    return [batch for each in streams for batch in half_loaded_batches(client, each)]


def _digest(project: PreparedProject, streams: Sequence[Contract]) -> str:
    content = hashlib.sha256(project.digest.encode())
    for each in streams:
        content.update(ddl.create_table(each).encode())
    content.update("\n".join(_texts()).encode())
    return content.hexdigest()[:16]


def _texts() -> tuple[str, ...]:
    """The statements that make the database `text`."""
    return (*text_tables.create_texts(), search_tables.create_table())


def _create_tables(client: Client, streams: Sequence[Contract]) -> None:
    client.command(ddl.create_database())
    for each in streams:
        client.command(ddl.create_table(each))
    for statement in (*ddl.create_records().values(), *_texts()):
        client.command(statement)


@dataclass(frozen=True)
class _Misplaced:
    """A view that an older version kept in another database; `stands_twice`: it is in both."""

    database: str
    name: str
    target: str
    stands_twice: bool


def _misplaced_views(client: Client, declared: Sequence[DeclaredTable]) -> list[_Misplaced]:
    names = (t.name.partition(".") for t in declared if t.kind == "feed")
    wanted = {name: database for database, _, name in names}
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

    RENAME moves a view in one step: no row passes it twice or not at all.
    """
    for view in views:
        if view.stands_twice:
            client.command(f"DROP VIEW IF EXISTS {view.database}.{view.name} SYNC")
        else:
            client.command(f"CREATE DATABASE IF NOT EXISTS {view.target}")
            client.command(f"RENAME TABLE {view.database}.{view.name} TO {view.target}.{view.name}")


def _drop_forgotten(client: Client, declared: Sequence[DeclaredTable]) -> None:
    """Drop views without a model, which would go on inserting, and staging tables of
    killed runs.
    """
    known = set(_names(declared))
    forgotten = client.query(
        "SELECT concat(database, '.', name), engine FROM system.tables\n"
        "WHERE database IN ('star', 'rollups', 'features', 'internal') AND (\n"
        "  engine = 'MaterializedView' OR name LIKE '%\\_\\_staging\\_%'\n"
        "  AND metadata_modification_time < now() - INTERVAL 1 DAY)"
    ).result_rows
    for table, engine in forgotten:
        if table not in known:
            kind = "VIEW" if engine == "MaterializedView" else "TABLE"
            client.command(f"DROP {kind} IF EXISTS {table} SYNC")
