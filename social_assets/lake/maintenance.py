"""Keeps a Delta table small: fewer files, no unused files, a short log, no expired days.

Belongs here: what rewrites or removes files of a table, without changing a row that stays. Each
call is one commit or none. If it is killed, the table stays whole, and the next vacuum deletes
files that no commit names. The caller must hold the stream's lock: if another process rebuilt the
table meanwhile, Delta would refuse one of the two commits.

Transactions (`Applied`) are in the log, and every checkpoint keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
from deltalake import DeltaTable

from social_assets.lake.compact_wide import compact_wide, has_wide_rows
from social_assets.lake.delta import GIVEN_UP_KEPT_HOURS, PROPERTIES, LakeTable
from social_assets.lake.storage.file_system import Storage, storage_of

FULL_BYTES = 128 << 20
"""The size up to which files are merged at night."""

SMALL_BYTES = (8 << 20, 1 << 20)
"""At its end, a drain merges files below the first size into files up to it. If there is too much
below the first size, it uses the second one."""

SMALL_FILES = 50
"""A day with fewer small files is left to the night."""

BRIEF_BYTES = 64 << 20
"""The most bytes of one day that a drain rewrites; a day with more is left to the night."""


@dataclass(frozen=True)
class Freed:
    """What maintenance did to tables: data files and bytes in use before and after, rows removed by
    retention, files and bytes deleted from storage, log files deleted, seconds.
    """

    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows_removed: int = 0
    files_deleted: int = 0
    bytes_freed: int = 0
    log_files_deleted: int = 0
    seconds: float = 0.0

    def __add__(self, other: Freed) -> Freed:
        """The sum of two tables."""
        return Freed(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def compact_briefly(
    tables: Sequence[LakeTable], days: Collection[date], seconds: float = 1.0
) -> int:
    """Merge small files of some days; returns how many were replaced.

    For the end of a drain: takes days with SMALL_FILES or more, most files first, and begins none
    after `seconds`.
    """
    ends_at = time.monotonic() + seconds
    crowded: list[tuple[int, LakeTable, date, int]] = []
    for table in tables:
        for day, sizes in _sizes(table, days).items():
            limit = _brief_limit(sizes)
            files = int(pc.sum(pc.less(sizes, limit)).as_py())
            if files >= SMALL_FILES:
                crowded.append((files, table, day, limit))
    replaced = 0
    for _, table, day, limit in sorted(crowded, key=lambda each: -each[0]):
        if time.monotonic() > ends_at:
            break
        replaced += _compact(table, day, limit)
        _shorten_log(table)
    return replaced


def maintain(table: LakeTable, expired: Collection[date] = ()) -> Freed:
    """Remove expired days, merge files, delete files that no query needs.

    Does nothing if the table does not exist.
    """
    if table.columns() is None:
        return Freed()
    started = time.monotonic()
    before = _sizes_of_all(table)
    rows_removed = remove_days(table, expired) if expired else 0
    compact(table)
    swept = _sweep(table)
    log_files_deleted = _shorten_log(table)
    after = _sizes_of_all(table)
    return swept + Freed(
        files_before=len(before),
        files_after=len(after),
        bytes_before=pc.sum(before).as_py() or 0,
        bytes_after=pc.sum(after).as_py() or 0,
        rows_removed=rows_removed,
        log_files_deleted=log_files_deleted,
        seconds=time.monotonic() - started,
    )


def compact(table: LakeTable) -> int:
    """Merge files up to FULL_BYTES; returns how many were replaced.

    Each day is one commit; a table without days is one commit.
    """
    if "event_date" not in table.partition_by:
        return _compact(table, None, FULL_BYTES)
    crowded = [
        day
        for day, sizes in _sizes(table).items()
        if pc.sum(pc.less(sizes, FULL_BYTES)).as_py() > 1
    ]
    return sum(_compact(table, day, FULL_BYTES) for day in sorted(crowded))


def remove_days(table: LakeTable, days: Collection[date]) -> int:
    """Remove all rows of some days in one commit, without reading a file; returns how many."""
    present = table.rows_by_day()
    listed = [day for day in sorted(days) if day in present]
    if listed:
        quoted = ", ".join(f"'{day.isoformat()}'" for day in listed)
        _open(table).delete(f"event_date IN ({quoted})")
    return sum(present[day] for day in listed)


def _compact(table: LakeTable, day: date | None, limit: int) -> int:
    """Merge files below `limit` into files up to it, in one commit, in the order of rows."""
    if day is not None and has_wide_rows(table, day):
        return compact_wide(table, day, limit)
    done = _open(table).optimize.compact(
        partition_filters=[("event_date", "=", day.isoformat())] if day else None,
        target_size=limit,
        writer_properties=table.writer_properties(),
    )
    return int(done["numFilesRemoved"])


def _sweep(table: LakeTable) -> Freed:
    """Delete files that have been unused for GIVEN_UP_KEPT_HOURS, or that no commit ever named."""
    delta = _open(table)
    hours = GIVEN_UP_KEPT_HOURS
    doomed = delta.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
    if not doomed:
        return Freed()
    storage = _storage(table)
    found = storage.files.get_file_info([storage.path(unquote(path)) for path in doomed])
    delta.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    return Freed(files_deleted=len(doomed), bytes_freed=sum(each.size or 0 for each in found))


def _shorten_log(table: LakeTable) -> int:
    """Write a checkpoint and delete older log files; returns how many."""
    delta = _open(table)
    if not PROPERTIES.items() <= delta.metadata().configuration.items():
        delta.alter.set_table_properties(dict(PROPERTIES))
        delta = _open(table)
    delta.create_checkpoint()
    before = _log_files(table)
    delta.cleanup_metadata()
    return before - _log_files(table)


def _brief_limit(sizes: pa.Array) -> int:
    """The largest of SMALL_BYTES below which files have BRIEF_BYTES at most; 0 if none."""
    for limit in SMALL_BYTES:
        if (pc.sum(sizes.filter(pc.less(sizes, limit))).as_py() or 0) <= BRIEF_BYTES:
            return limit
    return 0


def _sizes(table: LakeTable, days: Collection[date] | None = None) -> dict[date, pa.Array]:
    """The bytes of each file, by event date, of all days or of `days`."""
    if table.columns() is None:
        return {}
    actions = pa.table(_open(table).get_add_actions(flatten=True))
    if not actions.num_rows:
        return {}
    found = actions.select(["partition.event_date", "size_bytes"])
    if days is not None:
        listed = pa.array(sorted(days), pa.date32())
        found = found.filter(pc.is_in(found["partition.event_date"].cast(pa.date32()), listed))
    grouped = found.group_by("partition.event_date").aggregate([("size_bytes", "list")])
    each_day = grouped["partition.event_date"].cast(pa.date32()).to_pylist()
    return {
        day: sizes.values for day, sizes in zip(each_day, grouped["size_bytes_list"], strict=True)
    }


def _sizes_of_all(table: LakeTable) -> pa.ChunkedArray:
    return pa.table(_open(table).get_add_actions(flatten=True))["size_bytes"]


def _log_files(table: LakeTable) -> int:
    storage = _storage(table)
    log = pyarrow.fs.FileSelector(storage.path("_delta_log"))
    return len(storage.files.get_file_info(log))


def _open(table: LakeTable) -> DeltaTable:
    return DeltaTable(table.uri, storage_options=dict(table.storage_options))


def _storage(table: LakeTable) -> Storage:
    return storage_of(table.uri, table.storage_options)
