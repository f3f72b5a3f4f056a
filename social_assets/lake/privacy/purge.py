"""Deletes what a Delta table still has of rows that were deleted: data files, and its log.

Belongs here: bytes that no query of today's version reads. Delta keeps the files of earlier
versions for readers, and in its log the smallest and largest values of each file. The caller must
hold the stream's lock. A reader of an earlier version fails, and reads again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deltalake import DeltaTable

from social_assets.lake.delta import PROPERTIES, LakeTable

_LOG_KEPT = "delta.logRetentionDuration"


def purge(table: LakeTable) -> None:
    """Delete all files that the newest version does not name, and all of the log before it.

    Repeating it changes nothing. Does nothing if the table does not exist.
    """
    if table.columns() is None:
        return
    _open(table).vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    with _no_log_is_kept(table):
        delta = _open(table)
        delta.create_checkpoint()
        delta.cleanup_metadata()


@contextmanager
def _no_log_is_kept(table: LakeTable) -> Iterator[None]:
    """Killed before the end, the nightly maintenance sets the property back."""
    _open(table).alter.set_table_properties({_LOG_KEPT: "interval 0 seconds"})
    try:
        yield
    finally:
        _open(table).alter.set_table_properties({_LOG_KEPT: PROPERTIES[_LOG_KEPT]})


def _open(table: LakeTable) -> DeltaTable:
    return DeltaTable(table.uri, storage_options=dict(table.storage_options))
