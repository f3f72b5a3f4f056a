"""The files of a stream that could not be loaded, until they are loaded or acknowledged.

Belongs here: only the record. Which errors a file causes is decided in `pipeline.files`. A file is
known by its name: when a file of that name has been loaded, the failure is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pyarrow as pa

from social_assets.lake.delta import LakeTable

FAILED_FILES = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("noted_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("state", pa.string(), nullable=False),
    ]
)
"""The newest row of a name tells its state."""

State = Literal["failed", "loaded", "acknowledged"]


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be loaded: its name, where it was, why, and the run that tried."""

    name: str
    place: str
    reason: str
    run_id: str


@dataclass(frozen=True)
class FailedFiles:
    """The failed files of one stream, a Delta table with the columns of FAILED_FILES."""

    table: LakeTable

    def record(self, failed: Iterable[FailedFile], loaded: Collection[str]) -> None:
        """Record the failures of a load; those of the names that it has loaded are over."""
        over = [each for each in self.unresolved() if each.name in loaded] if loaded else []
        now: list[tuple[FailedFile, State]] = [(each, "failed") for each in failed]
        self._append([*now, *((each, "loaded") for each in over)])

    def unresolved(self) -> list[FailedFile]:
        """The files that are neither loaded since nor acknowledged, the first one first."""
        return [file for file, state in self._latest().values() if state == "failed"]

    def acknowledge(self, files: Iterable[FailedFile]) -> None:
        """Record that somebody has dealt with these files."""
        self._append([(each, "acknowledged") for each in files])

    def names(self) -> set[str]:
        """Every name that was ever recorded."""
        return set(self._latest())

    def _append(self, files: Iterable[tuple[FailedFile, State]]) -> None:
        now = datetime.now(UTC)
        rows = [{**vars(file), "noted_at": now, "state": state} for file, state in files]
        if rows:
            self.table.append(pa.Table.from_pylist(rows, FAILED_FILES))

    def _latest(self) -> dict[str, tuple[FailedFile, str]]:
        rows = self.table.read().sort_by("noted_at").drop_columns(["noted_at"]).to_pylist()
        states = [row.pop("state") for row in rows]
        files = [FailedFile(**row) for row in rows]
        return {file.name: (file, state) for file, state in zip(files, states, strict=True)}
