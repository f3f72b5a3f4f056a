"""Deploys a stream's contract: alters its tables, or makes its rows anew from raw.

Belongs here: what a deployment would do (`plan_contract`), and doing it. Until the commit that puts
the new contract in force, the stream is loaded under the contract before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from social_assets.contracts.changes.contract_text import text_of
from social_assets.contracts.changes.difference import Change, needs_rebuild
from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import recover


@dataclass(frozen=True)
class ContractPlan:
    """What a deployment would do to one stream: `days` are made anew, `rows` records in all."""

    stream: str
    changes: tuple[Change, ...]
    days: tuple[date, ...]
    rows: int

    @property
    def is_rebuilt(self) -> bool:
        """Whether rows are made anew."""
        return needs_rebuild(self.changes)


def plan_contract(stores: StreamStores) -> ContractPlan:
    """What a deployment of the declared contract would do now."""
    changes = stores.in_force.changes
    by_day = stores.raw.rows_by_day() if needs_rebuild(changes) else {}
    days = {day: rows for day, rows in by_day.items() if rows}
    return ContractPlan(stores.name, changes, tuple(sorted(days)), sum(days.values()))


def deploy_contract(stores: StreamStores) -> ContractPlan:
    """Put the declared contract in force; returns what was done. Repeating it goes on."""
    with stores.lock():
        recover(stores)
        plan = plan_contract(stores)
        if not plan.changes:
            return plan
        if plan.is_rebuilt:
            raise NotImplementedError
        _widen(stores)
    return plan


def _widen(stores: StreamStores) -> None:
    """Alter the tables in place; the last commit in the lake puts the contract in force."""
    declared = stores.declared
    applied = stores.stores.lake.deployed_contracts(declared).record(text_of(declared))
    schema = cleaned_schema(declared)
    nullable = [field.name for field in schema if field.nullable]
    stores.stores.lake.table("cleaned", declared).widen(list(schema), nullable, applied)
    stores.__dict__.pop("in_force", None)
    stores.loader.prepare()
