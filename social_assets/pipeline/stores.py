"""The stores of one stream, which the steps read and write, and the stream's lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from social_assets.contracts.contract import Contract
from social_assets.lake.delta import LakeTable
from social_assets.lake.failed_files import FailedFiles
from social_assets.lake.gaps import Gaps
from social_assets.lake.lake import Lake
from social_assets.lake.ledger import Ledger
from social_assets.lake.lock import is_wanted, stream_lock
from social_assets.lake.quarantined_batches import QuarantinedBatches
from social_assets.lake.unloads import Unloads
from social_assets.pipeline.contracts.contract_in_force import ContractInForce, contract_in_force
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.warehouse.loader import ClientFactory, Loader

RUN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Stores:
    """Lake, engine and warehouse. `of` gives the tables of one stream."""

    lake: Lake
    engine: DuckDBEngine
    clickhouse: ClientFactory

    def of(self, contract: Contract, log_comment: str | None = None) -> StreamStores:
        """The stores of one stream; `log_comment` tags its warehouse queries."""
        return StreamStores(self, contract, log_comment)


@dataclass(frozen=True)
class StreamStores:
    """The tables of one stream, in lake and warehouse."""

    stores: Stores
    declared: Contract
    log_comment: str | None = None

    @property
    def contract(self) -> Contract:
        """The contract in force, which may differ from the declared one until it is deployed."""
        return self.in_force.contract

    @cached_property
    def in_force(self) -> ContractInForce:
        """The contract in force beside the declared one. Found again by whoever takes the lock."""
        return contract_in_force(self.stores.lake, self.declared)

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.declared.name

    @property
    def run_id(self) -> str:
        """The Dagster run at the start of `log_comment`; "" outside a run."""
        found = RUN_ID.match(self.log_comment or "")
        return found[0] if found else ""

    @property
    def engine(self) -> DuckDBEngine:
        """The engine that runs the expressions."""
        return self.stores.engine

    @property
    def raw(self) -> LakeTable:
        """The unchanged records."""
        return self.stores.lake.table("raw", self.contract)

    @property
    def cleaned(self) -> LakeTable:
        """Accepted records."""
        return self.stores.lake.table("cleaned", self.contract)

    @property
    def quarantine(self) -> LakeTable:
        """Rejected and duplicate records."""
        return self.stores.lake.table("quarantine", self.contract)

    @property
    def ledger(self) -> Ledger:
        """The records that each step took, by batch and date."""
        return self.stores.lake.ledger(self.declared)

    @property
    def gaps(self) -> Gaps:
        """The ranges of the topic that were lost before they were read."""
        return self.stores.lake.gaps(self.declared)

    @property
    def failed_files(self) -> FailedFiles:
        """The files that could not be loaded."""
        return self.stores.lake.failed_files(self.declared)

    @property
    def quarantined_batches(self) -> QuarantinedBatches:
        """The batches that could not be cleaned."""
        return self.stores.lake.quarantined_batches(self.declared)

    @property
    def unloads(self) -> Unloads:
        """The requests to unload batches."""
        return self.stores.lake.unloads(self.declared)

    @property
    def loader(self) -> Loader:
        """The loader into the warehouse."""
        return Loader(
            self.stores.clickhouse,
            self.contract,
            self.log_comment,
            lambda: any(self.cleaned.rows_by_day().values()),
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The lock that every writer to the stream must hold."""
        with stream_lock(self.stores.lake.locks, self.name):
            # Another process may have deployed a contract while this one waited.
            self.forget_in_force()
            yield

    def forget_in_force(self) -> None:
        """Find the contract in force again when it is needed next."""
        self.__dict__.pop("in_force", None)

    def under(self, in_force: ContractInForce) -> StreamStores:
        """The same stores under another contract, until they take the lock."""
        other = StreamStores(self.stores, self.declared, self.log_comment)
        other.__dict__["in_force"] = in_force
        return other

    def is_wanted(self) -> bool:
        """Whether another process waits for the lock, which the caller must hold."""
        return is_wanted(self.stores.lake.locks, self.name)
