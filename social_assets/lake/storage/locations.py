"""Where the data files of a Delta table are, as readers name them.

Belongs here: paths and URLs of files. Reading and writing them does not.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from deltalake import DeltaTable


def locations(table: DeltaTable, pruned: list[tuple[str, str, Any]] | None = None) -> list[str]:
    """The locations of the data files. Delta percent-encodes paths; readers need them decoded."""
    uris = table.file_uris(file_pruning_predicate=pruned)
    if urlsplit(table.table_uri).scheme not in ("", "file"):
        return uris
    return [unquote(uri.removeprefix("file://")) for uri in uris]
