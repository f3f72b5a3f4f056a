"""Tells how far the reading of a file has come, to whoever watches in this process.

Here belongs the telling; what is shown of it is the command line's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

Watcher = Callable[[Path, int, int], None]
"""Is told a file, and how many records and bytes of it have been read so far."""

_watcher: ContextVar[Watcher | None] = ContextVar("landing_watcher", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Have a watcher told of the files that are landed within the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watched(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches as they are, each told to the watcher as it is handed on."""
    # Read here: the batches may be consumed by a thread of another context.
    watcher = _watcher.get()
    return batches if watcher is None else _told(watcher, path, batches)


def _told(
    watcher: Watcher, path: Path, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    records = size = 0
    for batch in batches:
        records += batch.num_rows
        # With the line end of each, as a file of text has it.
        size += (pc.sum(pc.binary_length(batch.column("value"))).as_py() or 0) + batch.num_rows
        watcher(path, records, size)
        yield batch
