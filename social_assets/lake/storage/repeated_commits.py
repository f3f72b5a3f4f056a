"""Commits that an object store has made although its answer was lost.

Belongs here: how such a commit is recognized. Delta's library repeats a commit without an answer,
finds its own one, and takes it for another writer's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

_TAKEN = (
    "Concurrent transaction",
    "Metadata changed since last commit",
    "a concurrent transaction deleted data",
)
"""How Delta's library says that a commit has been made in between."""


@contextmanager
def found_if_made(
    opened: Callable[[], DeltaTable | None],
    files: Sequence[AddAction],
    transactions: Mapping[str, int],
    replaced: list[tuple[str, str, Any]] | None,
    refused: Exception,
) -> Iterator[None]:
    """Let a commit of rows that replace others succeed if the table has exactly these rows.

    `replaced` says which partitions are replaced, None: all. Raises `refused` if the commit in
    between was another writer's.
    """
    try:
        yield
    except CommitFailedError as error:
        if not any(told in str(error) for told in _TAKEN):
            raise
        table = opened()
        if table is None or not _has_exactly(table, files, transactions, replaced):
            raise refused from error


def _has_exactly(
    table: DeltaTable,
    files: Sequence[AddAction],
    transactions: Mapping[str, int],
    replaced: list[tuple[str, str, Any]] | None,
) -> bool:
    there = {_name(uri) for uri in table.file_uris(file_pruning_predicate=replaced)}
    return there == {_name(each.path) for each in files} and all(
        table.transaction_version(app_id) == version for app_id, version in transactions.items()
    )


def _name(path: str) -> str:
    """The name of a file, which is of this file alone."""
    return path.rpartition("/")[2]
