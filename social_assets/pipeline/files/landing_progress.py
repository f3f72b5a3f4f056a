"""Reports how far a file has been read to a watcher in this process.

Belongs here: only the report. The command line shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import pyarrow as pa

from social_assets.ingest.records import ReadPosition

Watcher = Callable[[Path, int, int], None]
"""A function that receives a file, and how many records and bytes of it have been read: the bytes
of the file as it is stored, with its header and blank lines, and compressed if it is."""

_watcher: ContextVar[Watcher | None] = ContextVar("landing_watcher", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Report the files that are landed within the block to a watcher."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watched(
    path: Path, batches: Iterator[pa.RecordBatch], position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    """The same batches; reports to the watcher when each is taken, and when there are no more."""
    # Read here: another thread, with another context, may take the batches.
    watcher = _watcher.get()
    return batches if watcher is None else _reported(watcher, path, batches, position)


def _reported(
    watcher: Watcher, path: Path, batches: Iterator[pa.RecordBatch], position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    records = 0
    for batch in batches:
        records += batch.num_rows
        watcher(path, records, position.bytes)
        yield batch
    watcher(path, records, position.bytes)
