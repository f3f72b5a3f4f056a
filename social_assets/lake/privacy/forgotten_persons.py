"""The persons who are forgotten, by the hash of their id, so that no later record brings them back.

Belongs here: only the record. It is in the lake, where every process that validates records finds
it. How an id is hashed is in `control.privacy`, what the record is used for in `pipeline.privacy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from social_assets.lake.delta import LakeTable

ANY_PLATFORM = ""

FORGOTTEN_PERSONS = pa.schema(
    [
        pa.field("person_hash", pa.string(), nullable=False),
        pa.field("platform", pa.string(), nullable=False),
        pa.field("forgotten_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""`platform` is the one of the id, or ANY_PLATFORM."""


@dataclass(frozen=True, order=True)
class ForgottenPerson:
    """The hash of a person's id, and the platform of the id, ANY_PLATFORM for all."""

    person_hash: str
    platform: str


@dataclass(frozen=True)
class ForgottenPersons:
    """A Delta table with the columns of FORGOTTEN_PERSONS."""

    table: LakeTable

    def add(self, persons: Iterable[ForgottenPerson]) -> None:
        """Record the persons that are not recorded yet, in one commit."""
        new = sorted({*persons} - self.all())
        if not new:
            return
        now = datetime.now(UTC)
        rows = [vars(each) | {"forgotten_at": now} for each in new]
        self.table.append(pa.Table.from_pylist(rows, FORGOTTEN_PERSONS))

    def all(self) -> set[ForgottenPerson]:
        """Everyone who is forgotten."""
        rows = self.table.read()
        pairs = zip(rows["person_hash"].to_pylist(), rows["platform"].to_pylist(), strict=True)
        return {ForgottenPerson(*pair) for pair in pairs}
