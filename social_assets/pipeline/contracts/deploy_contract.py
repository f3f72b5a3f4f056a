"""Deploys a stream's contract: alters its tables, or makes its rows anew from raw.

Belongs here: what a deployment would do (`plan_contract`), and the order of its steps. Until the
commit that puts the new contract in force, the stream is loaded under the contract before. If the
process is killed, the same call goes on: before that commit with the days that are missing, after
it with the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from social_assets.contracts.changes.contract_text import text_of
from social_assets.contracts.changes.difference import Change, needs_rebuild
from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.contracts.refused_deployment import REMEDY, ContractNotDeployableError
from social_assets.pipeline.contracts.staged_rows import StagedRows
from social_assets.pipeline.contracts.switch import complete_switch, transactions_of
from social_assets.pipeline.files.unload_requests import names_of, pending
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import recover


@dataclass(frozen=True)
class ContractPlan:
    """What a deployment would do to one stream: `days` are made anew from `rows` raw records.

    The raw records of `converted`, some of these days, are gone: their cleaned rows are converted.
    """

    stream: str
    changes: tuple[Change, ...]
    days: tuple[date, ...]
    rows: int
    converted: tuple[date, ...] = ()

    @property
    def is_rebuilt(self) -> bool:
        """Whether rows are made anew."""
        return needs_rebuild(self.changes)

    @property
    def moves(self) -> bool:
        """Whether records may belong to other days then: raw is divided anew as well."""
        return any(change.effect == "dates" for change in self.changes)

    @property
    def refused(self) -> str:
        """Why a deployment can't make the changes, in words; "" if it can, or finds out in raw."""
        by_effect = {e: [str(c) for c in self.changes if c.effect == e] for e in ("dates", "recut")}
        if by_effect["recut"] and self.days:
            reason = "raw holds the records as they were cut before, and a deployment leaves it so"
            return f"{self.stream}: {'; '.join(by_effect['recut'])}: {reason}. {REMEDY}"
        if by_effect["dates"] and self.converted:
            reason = (
                f"the raw records of {len(self.converted)} days are gone, {self.converted[0]} to "
                f"{self.converted[-1]}, so the days of their rows under it can't be found out"
            )
            return f"{self.stream}: {'; '.join(by_effect['dates'])}: {reason}. {REMEDY}"
        return ""

    def check_deployable(self) -> None:
        """Raise ContractNotDeployableError if a deployment can't make the changes."""
        if self.refused:
            raise ContractNotDeployableError(self.refused)


def plan_contract(stores: StreamStores) -> ContractPlan:
    """What a deployment of the declared contract would do now."""
    changes = stores.in_force.changes
    if not needs_rebuild(changes):
        return ContractPlan(stores.name, changes, (), 0)
    raw = stores.raw.rows_by_day()
    there = {day for day, rows in raw.items() if rows}
    kept = {d for t in (stores.cleaned, stores.quarantine) for d, n in t.rows_by_day().items() if n}
    days, converted = tuple(sorted(there | kept)), tuple(sorted(kept - there))
    return ContractPlan(stores.name, changes, days, sum(raw.values()), converted)


def deploy_contract(stores: StreamStores) -> ContractPlan:
    """Put the declared contract in force; returns what was done. Repeating it goes on."""
    with stores.lock():
        recover(stores)
        plan = plan_contract(stores)
        if not plan.changes:
            return plan
        plan.check_deployable()
        if plan.moves:
            _check_no_unloads(stores)
        if not plan.is_rebuilt:
            _widen(stores)
            return plan
        applied = stores.stores.lake.deployed_contracts(stores.declared).record(
            text_of(stores.declared)
        )
    staged = StagedRows(stores, applied.version, plan.moves)
    # Without the lock: loads go on. Days that they change are made again below.
    staged.make_missing()
    with stores.lock():
        recover(stores)
        if not stores.in_force.changes:
            return plan
        if plan.moves:
            _check_no_unloads(stores)
            plan_contract(stores).check_deployable()
        staged.make_missing()
        _switch(stores, staged, applied.version)
    return plan


def _check_no_unloads(stores: StreamStores) -> None:
    """Raise ContractNotDeployableError while batches are unloaded: a request names their days."""
    if waiting := pending(stores):
        raise ContractNotDeployableError(
            f"{stores.name}: {names_of(waiting)} are being unloaded, and records of them would "
            "belong to other days. Nothing was changed. Wait until `social-assets streams` shows "
            "no unload, or give the command again that replaces or unloads them; then deploy"
        )


def _widen(stores: StreamStores) -> None:
    """Alter the tables in place; the last commit in the lake puts the contract in force."""
    declared = stores.declared
    applied = stores.stores.lake.deployed_contracts(declared).record(text_of(declared))
    schema = cleaned_schema(declared)
    nullable = [field.name for field in schema if field.nullable]
    stores.stores.lake.table("cleaned", declared).widen(list(schema), nullable, applied)
    stores.forget_in_force()
    stores.loader.prepare()


def _switch(stores: StreamStores, staged: StagedRows, number: int) -> None:
    """Replace the rows of the lake; the commit of the cleaned table puts the contract in force."""
    stores.loader.prepare()
    # Facts and rollups that a killed process leaves behind are built by the next load.
    stores.loader.record_all_pending()
    staged.put_in_force(*transactions_of(stores, number))
    stores.forget_in_force()
    complete_switch(stores)
