"""What an executor needs to validate records of a stream: values that travel to it.

Belongs here: the values, and the stores and validator that an executor makes of them. It has no
ClickHouse and no operational store, and no credential travels: an executor finds those of an object
store in its own environment. The salt of forgotten persons' hashes does travel, if there are any.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NoReturn

from resources.settings.variables import FIRST_DATE
from social_assets.lake.lake import Lake
from social_assets.lake.privacy.forgotten_persons import ForgottenPerson
from social_assets.pipeline.contracts.contract_in_force import ContractInForce
from social_assets.pipeline.privacy.forgotten_records import ForgottenRecords, forgotten_records
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.transform.duckdb_engine import DuckDBEngine, Session
from social_assets.transform.validate_block import BlockValidator

_SETTINGS = (FIRST_DATE,)
"""The variables that decide what a record is validated to."""


@dataclass(frozen=True)
class SparkJob:
    """A rebuild of some days of a stream, or the cleaning of a batch, for executors."""

    lake: Lake
    engine: DuckDBEngine
    in_force: ContractInForce
    forgotten: tuple[ForgottenPerson, ...]
    salt: str
    without: frozenset[str]
    """The batches that are left out."""
    settings: Mapping[str, str]
    batch_id: str | None = None
    """The only batch that is validated; what has landed before it counts. None: a rebuild."""
    is_begun: bool = False
    """Whether tables may have records of the batch already."""

    @classmethod
    def of(
        cls,
        stores: StreamStores,
        without: Collection[str] = (),
        batch_id: str | None = None,
        *,
        is_begun: bool = False,
    ) -> SparkJob:
        """The job of this process's stores. Raises MissingSaltError."""
        with stores.engine.session() as session:
            found = forgotten_records(stores, session)
        return cls(
            stores.stores.lake,
            # Spark runs as many tasks at a time as an executor has cores.
            replace(stores.engine, threads=1),
            stores.in_force,
            tuple(found.persons) if found else (),
            found.salt if found else "",
            frozenset(without),
            {name: os.environ[name] for name in _SETTINGS if name in os.environ},
            batch_id,
            is_begun,
        )

    def stores(self) -> StreamStores:
        """The lake's tables of the stream, and the engine."""
        stores = Stores(self.lake, self.engine, _NoClickHouse())
        return stores.of(self.in_force.declared).under(self.in_force)

    def validator(self, session: Session) -> BlockValidator:
        """The validator that `stream_validator` makes on the driver."""
        contract = self.in_force.contract
        if not self.forgotten:
            return BlockValidator(session, contract)
        forgotten = ForgottenRecords(session, contract, self.forgotten, self.salt)
        return BlockValidator(session, contract, forgotten.refuse)


@lru_cache(maxsize=2)
def unpacked(job: bytes) -> SparkJob:
    """A job that the driver packed; the same object for all tasks of a worker's process, so that
    a query is compiled once.
    """
    found: SparkJob = pickle.loads(job)  # noqa: S301 - of our driver, as the task itself
    for name in _SETTINGS:
        os.environ.pop(name, None)
    os.environ.update(found.settings)
    return found


class _NoClickHouse:
    """What an executor has instead: the lake's tables need none."""

    def client(self, log_comment: str | None = None) -> NoReturn:
        """Raises RuntimeError."""
        raise RuntimeError(f"an executor of Spark has no ClickHouse (for {log_comment})")
