"""Rows that wait for a later step: in memory if they are few, in a file of the spill folder if not.

Belongs here: where waiting rows are kept. What they are belongs to `validation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

HELD_BYTES = 96 << 20
"""Rows of up to so many bytes wait in memory."""

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class SpilledRows:
    """Rows of one schema in the order of adding. `path` is the file for many rows."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path = path
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._file: pa.OSFile | None = None
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self.size_bytes = 0
        """The bytes of all rows in memory."""

    def add(self, rows: pa.Table) -> None:
        """Add rows; they must have the schema."""
        self.size_bytes += rows.nbytes
        self._held += rows.to_batches()
        if self._writer is None:
            if self.size_bytes <= HELD_BYTES:
                return
            self._file = pa.OSFile(str(self._path), "wb")
            self._writer = pa.ipc.new_stream(self._file, self._schema, options=_COMPRESSED)
        for batch in self._held:
            self._writer.write_batch(batch)
        self._held = []

    def finish(self) -> None:
        """End adding; only then can rows be read. Calling it again does nothing."""
        if self._writer is not None and self._file is not None and not self._file.closed:
            self._writer.close()
            self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows in batches, in the order of adding; again for each iteration."""
        if self._writer is None:
            yield from self._held
            return
        with pa.OSFile(str(self._path), "rb") as file, pa.ipc.open_stream(file) as batches:
            yield from batches
