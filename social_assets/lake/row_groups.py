"""Reads rows of a lake table a few at a time, for rows of any size.

Belongs here: how much of a Parquet file is in memory at once. A row group tells how many bytes it
has, so wide rows are read a few at a time. The engine always reads 2,048 rows at once, and is
therefore used for narrow rows only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from social_assets.lake.delta import LakeTable
from social_assets.lake.storage.errors import storage_errors
from social_assets.lake.storage.file_system import storage_of

READ_BYTES = 4 << 20
"""About how much of a row group is decoded at once."""
FEWEST_ROWS = 16
MOST_ROWS = 2_048
_MOST_REPEATED_BYTES = 16 << 20
"""So many bytes may be decoded at once if a dictionary repeats its largest text in every row."""
_OUR_WRITER = "parquet-cpp-arrow"
"""`data_files` writes dictionaries only for rows of up to WIDE_BYTES on average."""
_FOOTERS_AT_ONCE = 8
_EVENT_DATE = re.compile(r"event_date=(\d{4}-\d{2}-\d{2})/")
_PARTITION = re.compile(r"([^/=]+)=([^/]*)/")


@dataclass(frozen=True)
class RowGroup:
    """One row group of a data file: its rows, their bytes when decoded, its event date.

    `most_rows` is how many rows may be decoded at once: `size_bytes` counts a text once that a
    dictionary repeats.
    """

    file: str
    number: int
    rows: int
    size_bytes: int
    event_date: date
    most_rows: int

    @property
    def width(self) -> int:
        """The mean bytes of a row."""
        return self.size_bytes // max(1, self.rows)


def row_groups(
    table: LakeTable, days: Iterable[date], batch_id: str | None = None
) -> list[RowGroup]:
    """The row groups of some days; with `batch_id`, those that may hold rows of the batch."""
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as readers:
        found = readers.map(lambda file: _of_file(table, file, batch_id), table.files(days))
        return [group for groups in found for group in groups]


def read_parts(
    table: LakeTable,
    groups: Sequence[RowGroup],
    columns: Sequence[str],
    *,
    part_bytes: int,
    part_rows: int,
    batch_id: str | None = None,
) -> Iterator[pa.Table]:
    """The rows of some row groups as tables of at most about `part_bytes` and `part_rows`.

    `columns` may name partition columns, which the files do not have, and columns that a file
    lacks, which are null. With `batch_id`, only its rows.
    """
    schema = pa.schema([table.schema.field(name) for name in columns])
    held: list[pa.RecordBatch] = []
    size = rows = 0
    for group in groups:
        for batch in _read(table, group, schema, batch_id):
            if held and (size + batch.nbytes > part_bytes or rows + batch.num_rows > part_rows):
                yield pa.Table.from_batches(held, schema)
                held, size, rows = [], 0, 0
            held.append(batch)
            size, rows = size + batch.nbytes, rows + batch.num_rows
    if held:
        yield pa.Table.from_batches(held, schema)


def _read(
    table: LakeTable, group: RowGroup, schema: pa.Schema, batch_id: str | None
) -> Iterator[pa.RecordBatch]:
    at_once = min(group.most_rows, max(FEWEST_ROWS, READ_BYTES // max(1, group.width)))
    partition = {
        name: value for name, value in _PARTITION.findall(group.file) if name in table.partition_by
    }
    names = [name for name in schema.names if name not in table.partition_by]
    wanted = names if batch_id is None or "batch_id" in names else [*names, "batch_id"]
    with storage_errors(table.uri), _opened(table, group.file) as file:
        for found in file.iter_batches(
            batch_size=at_once, row_groups=[group.number], columns=wanted, use_threads=False
        ):
            batch = found
            if batch_id is not None:
                batch = batch.filter(pc.equal(batch.column("batch_id"), batch_id))
            if batch.num_rows:
                yield _in_schema(batch, schema, partition)


def _in_schema(
    batch: pa.RecordBatch, schema: pa.Schema, partition: Mapping[str, str]
) -> pa.RecordBatch:
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.repeat(pa.scalar(partition.get(field.name)).cast(field.type), batch.num_rows)
        for field in schema
    ]
    return pa.record_batch(columns, schema=schema)


def _of_file(table: LakeTable, file: str, batch_id: str | None) -> list[RowGroup]:
    found = _EVENT_DATE.search(file)
    if found is None:
        raise ValueError(f"{file} is of no event date; is {table.uri} partitioned by it?")
    day = date.fromisoformat(found.group(1))
    with storage_errors(table.uri), _opened(table, file) as opened:
        metadata = opened.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        is_ours = str(metadata.created_by).startswith(_OUR_WRITER)
    return [
        RowGroup(
            file,
            number,
            group.num_rows,
            group.total_byte_size,
            day,
            MOST_ROWS if is_ours else _most_rows(group),
        )
        for number, group in enumerate(groups)
        if batch_id is None or _may_hold(group, batch_id)
    ]


def _most_rows(group: Any) -> int:
    columns = [group.column(index) for index in range(group.num_columns)]
    repeated: list[int] = [c.total_uncompressed_size for c in columns if c.has_dictionary_page]
    return max(FEWEST_ROWS, min(MOST_ROWS, _MOST_REPEATED_BYTES // max(1, *repeated, 1)))


def _may_hold(group: Any, batch_id: str) -> bool:
    for index in range(group.num_columns):
        column = group.column(index)
        if column.path_in_schema == "batch_id":
            known = column.statistics
            if known is None or not known.has_min_max:
                return True
            return bool(known.min <= batch_id <= known.max)
    return True


def _opened(table: LakeTable, file: str) -> pq.ParquetFile:
    path = file.removeprefix("file://")
    if "://" not in path:
        return pq.ParquetFile(path, buffer_size=1 << 20)
    storage = storage_of(table.uri, table.storage_options)
    name = storage.path(path.removeprefix(table.uri).lstrip("/"))
    return pq.ParquetFile(storage.files.open_input_file(name), buffer_size=1 << 20)
