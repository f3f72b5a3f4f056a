"""Searches a home for secrets: every file, and what compressed files hold.

Belongs here: where a secret might be found. Which texts are secrets is known to the caller.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource

_BEGINNING = 4
_MOST_BYTES = 1 << 18
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")


class _Sought:
    """Secrets to be found in bytes: there are thousands, of a few beginnings."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._by_beginning: dict[bytes, list[bytes]] = {}
        for each in secrets:
            self._by_beginning.setdefault(each[:_BEGINNING].encode(), []).append(each.encode())
        self._beginnings = re.compile(
            b"(?=(%s))" % b"|".join(map(re.escape, sorted(self._by_beginning)))
        )

    def is_in(self, content: bytes) -> bool:
        """Whether a secret is anywhere in the content."""
        return any(
            content.startswith(tuple(self._by_beginning[found[1]]), found.start())
            for found in self._beginnings.finditer(content)
        )


def leaks(home: Home, secrets: Iterable[str]) -> list[str]:
    """Each place of a home that holds a secret: files, compressed texts in them, lake tables.

    The texts of the secrets are not in the answer.
    """
    sought = _Sought(secrets)
    files = [
        f"{path.relative_to(home.path)} holds a secret"
        for path in sorted(home.path.rglob("*"))
        # Sockets, and links to other places, are no content of the home.
        if path.is_file() and not path.is_symlink() and any(map(sought.is_in, _contents(path)))
    ]
    return files + [f"{name} holds a secret" for name in _tables(sought)]


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix in {".db", ".sqlite"} or path.name.endswith("-wal"):
        # Dagster keeps snapshots of jobs and their configuration compressed.
        for begin in _ZLIB.finditer(content):
            try:
                compressed = content[begin.start() : begin.start() + _MOST_BYTES]
                yield zlib.decompressobj().decompress(compressed)
            except zlib.error:
                continue


def _tables(sought: _Sought) -> Iterator[str]:
    """The lake tables with a secret: their files are compressed."""
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    for each in contracts():
        of = stores.of(each)
        layers = {"raw": of.raw, "cleaned": of.cleaned, "quarantine": of.quarantine}
        for name, table in layers.items():
            if any(sought.is_in(str(row).encode()) for row in table.read().to_pylist()):
                yield f"{name}/{each.name}"
