"""Compares the warehouse with what is declared, and with what the last deployment left.

Belongs here: finding what is missing or altered. `deployment.py` restores it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from social_assets.warehouse.dbt.declared_tables import DeclaredTable
from social_assets.warehouse.dbt.deployment_record import (
    TABLE_STATE,
    VIEW_HASH,
    DeploymentRecord,
    databases_of,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_FAMILIES = ("Shared", "Replicated")
"""What a cluster puts before the name of an engine."""

_INTEGER = re.compile(r"U?Int(8|16|32|64)")


@dataclass(frozen=True)
class AlteredTable:
    """A table that is not as declared.

    `missing_columns` can be added. `differences` can't be changed in place, each a sentence; rows
    can't be inserted if `has_other_types`. `numbers_for_text` are integers that are declared as
    text, if nothing else differs: each row can be converted. `is_touched`: changed since the last
    deployment.
    """

    table: DeclaredTable
    missing_columns: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    has_other_types: bool = False
    is_touched: bool = False
    numbers_for_text: tuple[str, ...] = ()

    def __str__(self) -> str:
        missing = [f"has no column {name}" for name in self.missing_columns]
        return f"{self.table.name} ({', '.join([*missing, *self.differences])})"


@dataclass(frozen=True)
class Survey:
    """What was found. `lost` are tables and views that were deployed and are missing. `new` are
    tables of days that no deployment has made yet, in a warehouse that has been deployed before.
    """

    is_unchanged: bool = False
    lost: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    altered: tuple[AlteredTable, ...] = ()
    altered_views: tuple[str, ...] = ()


def survey(
    client: Client, declared: Sequence[DeclaredTable], digest: str, last: DeploymentRecord | None
) -> Survey:
    """Compare; if nothing has changed since the last deployment of `digest`, by one query."""
    names = [table.name for table in declared]
    changed = _states(client, names)
    touched = {
        name for name in changed if last and last.tables and changed[name] != last.tables.get(name)
    }
    missing = [name for name in names if name not in changed]
    is_known = last is not None and last.digest == digest and bool(last.tables)
    if is_known and not touched and not missing:
        return Survey(is_unchanged=True)
    compared = [
        table
        for table in declared
        if table.columns and table.name in changed and (table.name in touched or not is_known)
    ]
    views = [table.name for table in declared if table.is_view and table.name in touched]
    lost = _lost(client, missing, declared, last, digest)
    return Survey(
        lost=lost,
        new=_new(missing, declared, last, lost),
        altered=tuple(altered_tables(client, compared, touched)),
        altered_views=_altered_views(client, views, last),
    )


def altered_tables(
    client: Client, tables: Sequence[DeclaredTable], touched: set[str] | None = None
) -> list[AlteredTable]:
    """Those of some tables, all of which exist, that are not as declared."""
    if not tables:
        return []
    names = [table.name for table in tables]
    parameters = {"names": names, "databases": databases_of(names)}
    shapes = {
        str(name): (str(engine), str(sorting_key), str(partition_key))
        for name, engine, sorting_key, partition_key in client.query(
            "SELECT concat(database, '.', name) AS of, engine, sorting_key, partition_key\n"
            "FROM system.tables\n"
            "WHERE database IN {databases:Array(String)} AND of IN {names:Array(String)}",
            parameters=parameters,
        ).result_rows
    }
    columns: dict[str, dict[str, str]] = {name: {} for name in names}
    for of, name, kind in client.query(
        "SELECT concat(database, '.', table) AS of, name, type FROM system.columns\n"
        "WHERE database IN {databases:Array(String)} AND of IN {names:Array(String)}",
        parameters=parameters,
    ).result_rows:
        columns[of][name] = kind
    compared = (
        _compare(table, columns[table.name], shapes[table.name], table.name in (touched or ()))
        for table in tables
        if table.name in shapes
    )
    return [each for each in compared if each.missing_columns or each.differences]


def differences(
    client: Client, declared: Sequence[DeclaredTable], last: DeploymentRecord | None
) -> list[str]:
    """What is missing or altered of the tables and views that the last deployment left, in words.

    Also what that deployment could not restore. Those that no deployment has made are left out.
    """
    if last is None:
        return []
    deployed = [table for table in declared if table.name in last.tables]
    there = _states(client, [table.name for table in deployed])
    touched = [name for name, changed in there.items() if changed != last.tables.get(name)]
    present = [table for table in deployed if table.columns and table.name in there]
    views = [t.name for t in deployed if t.is_view and t.name in touched]
    return [
        *(f"{table.name} is missing" for table in deployed if table.name not in there),
        *(f"{each} is altered" for each in altered_tables(client, present)),
        *(f"{view} is altered" for view in _altered_views(client, views, last)),
    ]


def _compare(
    table: DeclaredTable, columns: Mapping[str, str], shape: tuple[str, str, str], is_touched: bool
) -> AlteredTable:
    other_types = [
        f"column {name} is {columns[name]}, not {kind}"
        for name, kind in table.columns.items()
        if name in columns and columns[name] != kind
    ]
    engine, sorting_key, partition_key = shape
    wanted = ", ".join(table.sorting_key)
    differences = list(other_types)
    if _family_removed(engine) != table.engine:
        differences.append(f"its engine is {engine}, not {table.engine}")
    if sorting_key.strip("()") != wanted:
        differences.append(f"it is ordered by {sorting_key or 'nothing'}, not {wanted}")
    if partition_key != table.partition_key:
        differences.append(
            f"it is partitioned by {partition_key or 'nothing'}, not {table.partition_key}"
        )
    numbers = tuple(
        name
        for name, kind in table.columns.items()
        if kind == "String" and _INTEGER.fullmatch(columns.get(name, ""))
    )
    return AlteredTable(
        table,
        tuple(name for name in table.columns if name not in columns),
        tuple(differences),
        bool(other_types),
        is_touched,
        numbers if len(numbers) == len(differences) else (),
    )


def _family_removed(engine: str) -> str:
    for family in _FAMILIES:
        engine = engine.removeprefix(family)
    return engine


def _states(client: Client, names: Sequence[str]) -> dict[str, int]:
    """The state of each table and view that exists."""
    wanted = set(names)
    found = client.query(
        f"SELECT concat(database, '.', name), {TABLE_STATE}\n"
        "FROM system.tables WHERE database IN {databases:Array(String)}",
        parameters={"databases": databases_of(names)},
    ).result_rows
    return {name: changed for name, changed in found if name in wanted}


def _lost(
    client: Client,
    missing: Sequence[str],
    declared: Sequence[DeclaredTable],
    last: DeploymentRecord | None,
    digest: str,
) -> tuple[str, ...]:
    if not missing:
        return ()
    if last and last.tables and last.digest != digest:
        return tuple(sorted(last.tables.keys() & set(missing)))
    # The same digest made them all. Else a version recorded no names, or the record itself is lost.
    is_known = last is not None and last.digest == digest
    if last or _has_rows(client, databases_of([table.name for table in declared])):
        # An older version may not have had the records.
        records = {table.name for table in declared if table.kind == "records" and not is_known}
        return tuple(sorted({*missing} - records))
    return ()


def _new(
    missing: Sequence[str],
    declared: Sequence[DeclaredTable],
    last: DeploymentRecord | None,
    lost: Sequence[str],
) -> tuple[str, ...]:
    if last is None:
        return ()
    of_days = {table.name for table in declared if table.kind == "days"}
    return tuple(sorted(of_days.intersection(missing).difference(lost)))


def _has_rows(client: Client, databases: Sequence[str]) -> bool:
    """Whether any table of the warehouse has rows: then it is not a new one."""
    [(rows,)] = client.query(
        "SELECT sum(rows) FROM system.parts\n"
        "WHERE active AND database IN {databases:Array(String)}",
        parameters={"databases": list(databases)},
    ).result_rows
    return bool(rows)


def _altered_views(
    client: Client, views: Sequence[str], last: DeploymentRecord | None
) -> tuple[str, ...]:
    """The views that are not what the last deployment left."""
    if not views or last is None:
        return ()
    found = client.query(
        "SELECT concat(database, '.', name) AS view, "
        f"{VIEW_HASH}, version()\n"
        "FROM system.tables\n"
        "WHERE database IN {databases:Array(String)} AND view IN {views:Array(String)}",
        parameters={"databases": databases_of(views), "views": list(views)},
    ).result_rows
    return tuple(
        sorted(
            view
            for view, select, server in found
            if server == last.server and select != last.selects.get(view)
        )
    )
