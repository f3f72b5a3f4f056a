"""What a deployment would do: the changes of each stream, and the tables whose days it makes anew.

Belongs here: which tables follow from a stream. What changes in its contract belongs to
`pipeline.contracts`, and doing it to `operate.deploy`. Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.contracts.deploy_contract import ContractPlan, plan_contract
from social_assets.warehouse.dbt.declared_tables import DeclaredTable
from social_assets.warehouse.dbt.project import is_read, prepare

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
    declared = prepare(home).declared() if has_tables_behind else ()
    return [StreamPlan(each, tables(each, declared)) for each in changed]


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
