"""Reports how far a file has been read to a watcher in this process.

Belongs here: only the report. The command line shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

Watcher = Callable[[Path, int, int], None]
"""A function that receives a file, and how many records and bytes of it have been read."""

_watcher: ContextVar[Watcher | None] = ContextVar("landing_watcher", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Report the files that are landed within the block to a watcher."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watched(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches; reports each to the watcher when it is taken."""
    # Read here: another thread, with another context, may take the batches.
    watcher = _watcher.get()
    return batches if watcher is None else _told(watcher, path, batches)


def _told(
    watcher: Watcher, path: Path, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    records = size = 0
    for batch in batches:
        records += batch.num_rows
        # With the line end of each record, as in a text file.
        size += (pc.sum(pc.binary_length(batch.column("value"))).as_py() or 0) + batch.num_rows
        watcher(path, records, size)
        yield batch
