"""Python's garbage collection while a process starts.

Belongs here: only what saves time at the start and the end of a process. It changes nothing that a
program computes.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_MUST_BE_COLLECTED = "duckdb"


@contextmanager
def imports_kept(*libraries: str) -> Iterator[None]:
    """Import the libraries, which are never searched for garbage; collect none during the block.

    Modules, classes and functions stay for as long as the process. Searching those of the code
    location `streaming` for garbage took 0.8 s of the 2.0 s of CPU of its import, and collecting
    them at the end of the process a third of what was left (measured).

    Name the large libraries that the block imports and that do not import DuckDB. At the end of a
    process, DuckDB's binding prints some 60 lines about its objects that were not collected. So
    where DuckDB is imported already, the end of the process collects everything.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for library in libraries:
            import_module(library)
        if _MUST_BE_COLLECTED in sys.modules:
            atexit.register(gc.unfreeze)
        gc.freeze()
        yield
    finally:
        if was_enabled:
            gc.enable()
