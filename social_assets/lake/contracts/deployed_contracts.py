"""The contracts under which a stream's cleaned rows were made, numbered from 1.

Belongs here: the record of contracts, and which one is in force. The record holds the text of each
contract. The number of the one in force is a transaction of the stream's cleaned table, so the
commit that changes the table's columns or rows also changes the number. A contract that was
recorded and whose commit never came has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable

CONTRACT = "contract"
"""The application id whose version in the cleaned table is the number of the contract in force."""

DEPLOYED_CONTRACTS = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("contract", pa.string(), nullable=False),
        pa.field("recorded_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


@dataclass(frozen=True)
class DeployedContracts:
    """The contracts of one stream. `cleaned` is the table whose rows they describe."""

    table: LakeTable
    cleaned: LakeTable

    def text(self) -> str | None:
        """The text of the contract in force; None if none is recorded."""
        number = self.cleaned.applied_version(CONTRACT)
        return None if number is None else self.text_of(number)

    def text_of(self, number: int) -> str:
        """The text of a contract by its number."""
        found = self.table.read()
        texts = found.filter(pc.equal(found["number"], number))["contract"].to_pylist()
        if not texts:
            raise LookupError(
                f"the lake's table {self.table.uri} has no contract {number}, which the tables of "
                f"the stream name ({self.cleaned.uri}); restore that table from a backup"
            )
        return str(texts[0])

    def record(self, text: str) -> Applied:
        """Record a contract; returns the transaction with which a commit puts it in force.

        The caller must hold the stream's lock.
        """
        found = self.table.read()
        numbers, texts = found["number"].to_pylist(), found["contract"].to_pylist()
        in_force = self.cleaned.applied_version(CONTRACT) or 0
        newer = [n for n, each in zip(numbers, texts, strict=True) if each == text and n > in_force]
        if newer:
            return Applied(CONTRACT, newer[0])
        number = max(numbers, default=0) + 1
        row = {"number": number, "contract": text, "recorded_at": datetime.now(UTC)}
        self.table.append(pa.Table.from_pylist([row], DEPLOYED_CONTRACTS))
        return Applied(CONTRACT, number)
