"""Brings small files of wide rows together, within a bound of bytes.

Here belongs the compaction of rows that are too wide for Delta's own, which writes 32,768 rows to
a row group whatever they hold, with dictionaries: readers could not tell how many bytes that is.
Which tables and days are compacted, and when, is `maintenance`'s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import RemoveAction

from social_assets.lake.data_files import ROW_GROUP_BYTES, ROW_GROUP_ROWS, WIDE_BYTES
from social_assets.lake.delta import LakeTable
from social_assets.lake.row_groups import RowGroup, read_parts, row_groups


@dataclass(frozen=True)
class _Small:
    """A data file that is to be brought together with others of its partition."""

    path: str
    size: int
    partition: dict[str, str]
    groups: tuple[RowGroup, ...]


def has_wide_rows(table: LakeTable, day: date) -> bool:
    """Whether the rows of a day are too wide for Delta's own compaction."""
    groups = row_groups(table, [day])
    size, rows = sum(group.size_bytes for group in groups), sum(group.rows for group in groups)
    return size > WIDE_BYTES * rows


def compact_wide(table: LakeTable, day: date, limit: int) -> int:
    """Files of a day below `limit` bytes into larger ones, in one commit; how many it replaces."""
    delta = DeltaTable(table.uri, storage_options=dict(table.storage_options))
    by_partition: dict[tuple[str, ...], list[_Small]] = {}
    for file in _small_files(table, delta, day, limit):
        by_partition.setdefault(tuple(file.partition.values()), []).append(file)
    replaced = [file for files in by_partition.values() if len(files) > 1 for file in files]
    if not replaced:
        return 0
    now = int(time.time() * 1000)
    removed = [
        RemoveAction(file.path, False, now, file.size, dict(file.partition)) for file in replaced
    ]
    written = table.write_files(delta, _rows(table, replaced))
    added = [replace(file, data_change=False) for file in written]
    delta.create_write_transaction(
        [*added, *removed],
        mode="append",
        schema=delta.schema(),
        partition_by=list(table.partition_by),
    )
    return len(removed)


def _rows(table: LakeTable, files: Sequence[_Small]) -> Iterator[pa.RecordBatch]:
    groups = [group for file in files for group in file.groups]
    parts = read_parts(
        table,
        groups,
        table.schema.names,
        part_bytes=ROW_GROUP_BYTES // 2,
        part_rows=ROW_GROUP_ROWS,
    )
    for part in parts:
        yield from part.to_batches()


def _small_files(table: LakeTable, delta: DeltaTable, day: date, limit: int) -> list[_Small]:
    """In the order in which they were written."""
    groups: dict[str, list[RowGroup]] = {}
    for group in row_groups(table, [day]):
        groups.setdefault(group.file, []).append(group)
    found: list[dict[str, Any]] = sorted(
        (
            action
            for action in pa.table(delta.get_add_actions(flatten=True)).to_pylist()
            if str(action["partition.event_date"]) == day.isoformat()
            and action["size_bytes"] < limit
        ),
        key=lambda action: action["modification_time"],
    )
    return [
        _Small(
            action["path"],
            action["size_bytes"],
            {name: str(action[f"partition.{name}"]) for name in table.partition_by},
            tuple(groups[_location(groups, action["path"])]),
        )
        for action in found
    ]


def _location(files: dict[str, list[RowGroup]], path: str) -> str:
    """The file that the log names by a path within the table."""
    endings = (f"/{path}", f"/{unquote(path)}")
    return next(file for file in files if file.endswith(endings))
