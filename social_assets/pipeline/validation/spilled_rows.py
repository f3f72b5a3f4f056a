"""Rows that wait for a later step: in memory if they are few, in the spill folder if not.

Belongs here: where waiting rows are kept. What they are belongs to `records`.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

from resources.settings.variables import ENGINE_SPILL

HELD_BYTES = 96 << 20
"""Rows of up to so many bytes wait in memory."""

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class SpillDiskError(OSError):
    """The disk of the spill folder is full or read-only; names the folder and the remedy."""


class SpilledRows:
    """Rows of one schema in the order of adding.

    Many rows are in a file of `folder` that has no name, so the system deletes it when the process
    ends in any way.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder = folder
        self.schema = schema
        """The columns of the rows."""
        self._held: list[pa.RecordBatch] = []
        self._file: IO[bytes] | None = None
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self.size_bytes = 0
        """The bytes of all rows in memory."""

    def add(self, rows: pa.Table) -> None:
        """Add rows, which must have the schema. Raises SpillDiskError."""
        self.size_bytes += rows.nbytes
        self._held += rows.to_batches()
        if self._file is None and self.size_bytes <= HELD_BYTES:
            return
        with _disk_errors(self._folder):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - see `close`
                sink = pa.PythonFile(self._file, mode="w")
                self._writer = pa.ipc.new_stream(sink, self.schema, options=_COMPRESSED)
            for batch in self._held:
                self._writer.write_batch(batch)  # type: ignore[union-attr]
        self._held = []

    def finish(self) -> None:
        """End adding; only then can rows be read. Raises SpillDiskError."""
        if self._file is not None and self._writer is not None:
            with _disk_errors(self._folder):
                self._writer.close()
                self._file.flush()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows in batches, in the order of adding. One iteration at a time."""
        if self._file is None:
            yield from self._held
            return
        self._file.seek(0)
        yield from pa.ipc.open_stream(pa.PythonFile(self._file, mode="r"))

    def close(self) -> None:
        """Give up the rows."""
        self._held = []
        if self._file is not None:
            self._file.close()


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise SpillDiskError(
            f"the spill folder {folder} could not be written: {error.strerror or error}. Make room "
            f"on that disk, or name a folder on another one ({ENGINE_SPILL}); then give the same "
            "command again"
        ) from error
