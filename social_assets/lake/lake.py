"""The tables of the lake and their locations, by layer and stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from social_assets.contracts.contract import Contract
from social_assets.lake.contracts.deployed_contracts import DEPLOYED_CONTRACTS, DeployedContracts
from social_assets.lake.delta import LakeTable
from social_assets.lake.expired_days import EXPIRED_DAYS, ExpiredDays
from social_assets.lake.failed_files import FAILED_FILES, FailedFiles
from social_assets.lake.gaps import GAPS, Gaps
from social_assets.lake.ledger import LEDGER, Ledger
from social_assets.lake.privacy.forgotten_persons import FORGOTTEN_PERSONS, ForgottenPersons
from social_assets.lake.quarantined_batches import QUARANTINED_BATCHES, QuarantinedBatches
from social_assets.lake.schemas import LANDED_DATE, PARTITION_COLUMNS, Layer, schema
from social_assets.lake.storage.file_system import delta_options
from social_assets.lake.unloads import UNLOADS, Unloads


@dataclass(frozen=True)
class Lake:
    """Delta tables under one root, a local folder or an object store's URL.

    `locks` is a folder of this machine, even if the tables are remote.
    """

    root: str
    locks: Path

    @property
    def storage_options(self) -> Mapping[str, str]:
        """What Delta's library needs to open the tables."""
        return delta_options(self.root)

    def table(self, layer: Layer, contract: Contract) -> LakeTable:
        """The table of one layer of one stream."""
        return LakeTable(
            uri=f"{self.root}/{layer}/{contract.name}",
            schema=schema(layer, contract),
            partition_by=tuple(PARTITION_COLUMNS[layer]),
            storage_options=self.storage_options,
        )

    def staged(self, layer: Layer, contract: Contract, number: int) -> LakeTable:
        """The table in which the rows of a contract are collected until it is put in force."""
        return LakeTable(
            uri=f"{self.root}/staged/{layer}/{contract.name}/{number}",
            schema=schema(layer, contract),
            partition_by=tuple(PARTITION_COLUMNS[layer]),
            storage_options=self.storage_options,
        )

    def redivided(self, contract: Contract, number: int) -> LakeTable:
        """The table in which raw is divided by the event dates of contract `number`."""
        return LakeTable(
            uri=f"{self.root}/staged/raw/{contract.name}/{number}",
            schema=schema("raw", contract).append(LANDED_DATE),
            partition_by=(LANDED_DATE.name, *PARTITION_COLUMNS["raw"]),
            storage_options=self.storage_options,
        )

    def ledger(self, contract: Contract) -> Ledger:
        """The ledger of a stream's batches."""
        table = LakeTable(
            uri=f"{self.root}/batches/{contract.name}",
            schema=LEDGER,
            partition_by=("hop",),
            storage_options=self.storage_options,
        )
        return Ledger(table)

    def gaps(self, contract: Contract) -> Gaps:
        """The ranges of a stream's topic that were lost before they were read."""
        table = LakeTable(
            uri=f"{self.root}/gaps/{contract.name}",
            schema=GAPS,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return Gaps(table)

    def failed_files(self, contract: Contract) -> FailedFiles:
        """The files of a stream that could not be loaded."""
        table = LakeTable(
            uri=f"{self.root}/failed_files/{contract.name}",
            schema=FAILED_FILES,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return FailedFiles(table)

    def quarantined_batches(self, contract: Contract) -> QuarantinedBatches:
        """The batches of a stream that could not be cleaned."""
        table = LakeTable(
            uri=f"{self.root}/quarantined_batches/{contract.name}",
            schema=QUARANTINED_BATCHES,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return QuarantinedBatches(table)

    def deployed_contracts(self, contract: Contract) -> DeployedContracts:
        """The contracts under which a stream's cleaned rows were made."""
        table = LakeTable(
            uri=f"{self.root}/contracts/{contract.name}",
            schema=DEPLOYED_CONTRACTS,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return DeployedContracts(table, self.table("cleaned", contract))

    def unloads(self, contract: Contract) -> Unloads:
        """The requests to unload batches of a stream."""
        table = LakeTable(
            uri=f"{self.root}/unloads/{contract.name}",
            schema=UNLOADS,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return Unloads(table)

    def forgotten_persons(self) -> ForgottenPersons:
        """The persons who are forgotten, by the hash of their id."""
        table = LakeTable(
            uri=f"{self.root}/forgotten_persons",
            schema=FORGOTTEN_PERSONS,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return ForgottenPersons(table)

    def expired_days(self) -> ExpiredDays:
        """The days that retention has removed, of all streams and tables."""
        table = LakeTable(
            uri=f"{self.root}/retired",
            schema=EXPIRED_DAYS,
            partition_by=(),
            storage_options=self.storage_options,
        )
        return ExpiredDays(table)
