"""What a deployment would do: the changes of each stream, and the tables whose days it makes anew.

Belongs here: which tables follow from a stream. What changes in its contract belongs to
`pipeline.contracts`, who reads a changed column to `readers`, how long it takes to `cost`, and
doing it to `deploy`. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.operate.deployment.readers import Reader, readers
from social_assets.pipeline.contracts.deploy_contract import ContractPlan, plan_contract
from social_assets.warehouse.dbt.declared_tables import DeclaredTable
from social_assets.warehouse.dbt.project import PreparedProject, is_read, prepare

Does = Literal["makes anew", "alters in place"]


@dataclass(frozen=True)
class TablePlan:
    """What a deployment does to one table, and on which days.

    Tables of the lake are named by their assets (`raw/posts`), those of the warehouse as in a query
    (`star.fact_engagement`).
    """

    table: str
    does: Does
    days: tuple[date, ...]


@dataclass(frozen=True)
class StreamPlan:
    """What a deployment does to one stream."""

    contract: ContractPlan
    tables: tuple[TablePlan, ...]
    readers: tuple[Reader, ...] = ()
    """Who reads a column that changes in a way that breaks queries."""

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.contract.stream


def plan(home: Home) -> list[StreamPlan]:
    """What a deployment would do to each stream whose contract is not deployed."""
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    found = [plan_contract(stores.of(each)) for each in contracts()]
    changed = [each for each in found if each.changes]
    # To prepare the project takes seconds.
    has_tables_behind = any(each.is_rebuilt and is_read(each.stream) for each in changed)
    project = prepare(home) if has_tables_behind or any(map(_broken, changed)) else None
    declared = project.declared() if project else ()
    return [
        StreamPlan(each, tables(each, declared), _readers(each, project) if project else ())
        for each in changed
    ]


def _broken(contract: ContractPlan) -> list[str]:
    """The columns, as queries name them today, that a deployment changes in a breaking way."""
    of_rows = ("key changed", "option changed")
    changes = [each for each in contract.changes if each.is_breaking and each.kind not in of_rows]
    names = [each.before if each.kind == "column renamed" else each.what for each in changes]
    return list(dict.fromkeys(names))


def _readers(contract: ContractPlan, project: PreparedProject) -> tuple[Reader, ...]:
    manifest, lineage = project.manifest(), project.lineage()
    return tuple(
        reader
        for column in _broken(contract)
        for reader in readers(manifest, lineage, contract.stream, column)
    )


def tables(contract: ContractPlan, declared: tuple[DeclaredTable, ...]) -> tuple[TablePlan, ...]:
    """The tables that a stream's deployment alters or makes anew; `declared` are those of the
    warehouse.
    """
    name = contract.stream
    own = [f"cleaned/{name}", f"quarantine/{name}", f"cleaned.{name}"]
    if not contract.is_rebuilt:
        return tuple(TablePlan(each, "alters in place", ()) for each in (own[0], own[2]))
    if contract.moves:
        own.insert(0, f"raw/{name}")
    behind = sorted(each.name for each in declared if each.kind == "days" and name in each.streams)
    return tuple(TablePlan(each, "makes anew", contract.days) for each in (*own, *behind))
