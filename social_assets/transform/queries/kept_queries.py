"""Compiled queries as files, for later processes of the installation.

Belongs here: reading and writing them. A kept query has no data and no secret: only those over
blocks are kept, which say what a contract says. Others name batches or places, and serve once. All
files can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

KEPT_QUERIES = 200
"""So many queries are kept; those that were not used for longest are deleted."""


def kept_query(folder: Path, key: str) -> str | None:
    """The query of a key; none if there is none, or it cannot be read whole."""
    file = _file(folder, key)
    try:
        kept = json.loads(file.read_bytes())
        query, checksum = kept["query"], kept["checksum"]
        if checksum != _checksum(key, query):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    with suppress(OSError):
        os.utime(file)
    return str(query)


def keep_query(folder: Path, key: str, query: str) -> None:
    """Write the query for later processes, whole or not at all; without it they compile again."""
    text = json.dumps({"query": query, "checksum": _checksum(key, query)})
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix="unfinished-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(_file(folder, key))
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        _delete_oldest(folder)


def _delete_oldest(folder: Path) -> None:
    """Delete what was not used for longest; another process may delete at the same time."""
    found: list[tuple[float, str]] = []
    for entry in os.scandir(folder):
        with suppress(OSError):
            found.append((entry.stat().st_mtime, entry.path))
    for _, path in sorted(found)[:-KEPT_QUERIES]:
        with suppress(OSError):
            Path(path).unlink()


def _file(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _checksum(key: str, query: str) -> str:
    return hashlib.sha256(f"{key}\n{query}".encode()).hexdigest()
