"""The spool of a platform: batches of collected records on disk, until every stream has them.

Belongs here: writing a batch durably before it lands, and reading it again after a crash. What
lands belongs to `land_pages`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from resources.settings.home import Home

PAGE_RECORDS = pa.schema(
    [
        pa.field("stream", pa.string(), nullable=False),
        pa.field("value", pa.binary(), nullable=False),
        pa.field("fetched_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
"""One record: the stream it belongs to, its envelope, and when its page was fetched."""


@dataclass(frozen=True)
class PageBatch:
    """The records of many chains, which land together, and what is promoted once they have.

    `version` increases with every batch of a platform. `promotion` is the new positions of the
    chains, as the caller writes and reads them.
    """

    platform: str
    version: int
    records: pa.Table
    promotion: Mapping[str, object]

    @property
    def streams(self) -> list[str]:
        """The streams that get records."""
        return sorted(set(self.records["stream"].to_pylist()))

    def of(self, stream: str) -> pa.Table:
        """The records of one stream, in order."""
        return self.records.filter(pc.equal(self.records["stream"], stream))


@dataclass(frozen=True)
class PageSpool:
    """The batches of one platform that are not through yet. One process at a time may use it."""

    folder: Path

    @classmethod
    def of(cls, home: Home, platform: str) -> PageSpool:
        """The spool of a platform in a home."""
        return cls(home.collection / "pages" / platform.lower())

    def write(self, batch: PageBatch) -> None:
        """Write a batch; when this returns, it survives a crash of the machine."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = {"platform": batch.platform, "version": batch.version, "promotion": batch.promotion}
        schema = PAGE_RECORDS.with_metadata({b"batch": json.dumps(said).encode()})
        unfinished = self._path(batch.version).with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            with pa.ipc.new_stream(file, schema) as writer:
                writer.write_table(batch.records.cast(PAGE_RECORDS).replace_schema_metadata())
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._path(batch.version))
        self._sync()

    def waiting(self) -> list[PageBatch]:
        """The batches that are not through, oldest first. Removes what a crash left unfinished."""
        if not self.folder.exists():
            return []
        for each in self.folder.glob("*.unfinished"):
            each.unlink()
        return [_read(path) for path in sorted(self.folder.glob("*.arrows"))]

    def remove(self, batch: PageBatch) -> None:
        """Remove a batch that every stream has and whose positions are promoted."""
        self._path(batch.version).unlink(missing_ok=True)
        self._sync()

    def _path(self, version: int) -> Path:
        return self.folder / f"{version:020}.arrows"

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> PageBatch:
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        said = json.loads((reader.schema.metadata or {})[b"batch"])
        rows = reader.read_all().replace_schema_metadata()
    return PageBatch(said["platform"], said["version"], rows, said["promotion"])
