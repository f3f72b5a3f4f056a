"""Writes rows as Parquet files of a Delta table, within a bound of memory for rows of any width.

Belongs here: what is in memory while rows are written. Delta's own writer first collects 8,192 rows
of any size and copies them several times: 5.3 GiB for 1 GB of rows of 200 KB. Files written here
belong to a table only after a commit names them; `delta.py` makes that commit.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.exceptions import SchemaMismatchError
from deltalake.transaction import AddAction

from social_assets.lake.storage.file_system import Storage, storage_of

ROW_GROUP_ROWS = 32_768
ROW_GROUP_BYTES = 32 << 20
"""A row group is written when it has so many rows or bytes; readers open one at a time."""
HELD_BYTES = 128 << 20
"""The most bytes of all open row groups together; above it, the largest one is written."""
FILE_BYTES = 128 << 20
"""A file of this size is closed; the next rows begin another one."""
OPEN_FILES = 64
"""The most files that are open at once: above it, the one not written for longest is closed. A file
of several years has rows of a thousand days, which is also how many files a process may open."""
WIDE_BYTES = 2 << 10
"""Above this mean width of a row, a file has no dictionaries: a wide text in a dictionary hides
from readers how many bytes they need."""
_ROWS_BETWEEN_PAGES = 64
_SHORT_TEXT = 64
"""Delta's log has the smallest and largest text of a column, cut to so many characters."""

_SAMPLE_ROWS = 2_048
"""A column has a dictionary if at most half of so many values are distinct. Of ids and times, which
are not, the dictionary costs a third of the time of writing, and makes the file larger."""

Partition = tuple[Any, ...]


@dataclass(frozen=True)
class Target:
    """Where files are written: the table's folder or URL, its columns and partitions."""

    uri: str
    schema: pa.Schema
    partition_by: tuple[str, ...]
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def file_schema(self) -> pa.Schema:
        """The columns of a data file, without partition columns, which are in its path."""
        return pa.schema([f for f in self.schema if f.name not in self.partition_by])

    def storage(self) -> Storage:
        """The table's folder or bucket."""
        return storage_of(self.uri, self.storage_options)


def write_files(target: Target, batches: Iterable[pa.RecordBatch]) -> list[AddAction]:
    """Write all rows to new files, to be named by a commit. If it fails, it deletes them."""
    files = _Files(target)
    try:
        return files.write(batches)
    except BaseException:
        files.delete()
        raise


def is_narrow(rows: pa.Table) -> bool:
    """Whether rows are narrow enough for Delta's writer, which copies 8,192 rows several times."""
    return bool(rows.nbytes <= WIDE_BYTES * rows.num_rows)


def with_columns(uri: str, has: pa.Schema, wants: pa.Schema) -> pa.Schema:
    """The columns of a table that have the names of `wants`. Raises SchemaMismatchError."""
    lacking = [name for name in wants.names if name not in has.names]
    if lacking:
        raise SchemaMismatchError(
            f"the lake's table {uri} has no column {', '.join(lacking)}; nothing was written"
        )
    return pa.schema([has.field(name) for name in wants.names])


class _Files:
    """The files of one write: an open row group and file for each partition."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._storage = target.storage()
        self._held: dict[Partition, _Held] = {}
        self._open: dict[Partition, _File] = {}
        self._done: list[AddAction] = []

    def write(self, batches: Iterable[pa.RecordBatch]) -> list[AddAction]:
        """Write the rows of all batches; one row group is encoded while the next rows are
        collected.
        """
        with ThreadPoolExecutor(max_workers=1) as encoder:
            encoding: Future[None] | None = None
            for partition, held in self._row_groups(batches):
                if encoding is not None:
                    encoding.result()
                encoding = encoder.submit(self._encode, partition, held)
            if encoding is not None:
                encoding.result()
        for partition in list(self._open):
            self._close(partition)
        return self._done

    def delete(self) -> None:
        """Delete the written files. The nightly maintenance deletes those that cannot be deleted
        now.
        """
        for file in self._open.values():
            file.abandon()
        for path in [*(each.path for each in self._done), *(f.path for f in self._open.values())]:
            with suppress(OSError):
                self._storage.files.delete_file(self._storage.path(path))

    def _row_groups(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Partition, _Held]]:
        for batch in chain.from_iterable(map(_of_bounded_bytes, batches)):
            for partition, rows in _by_partition(batch, self._target.partition_by):
                held = self._held.setdefault(partition, _Held())
                held.add(rows)
                if held.is_full:
                    yield partition, self._held.pop(partition)
            while self._held and sum(held.size for held in self._held.values()) > HELD_BYTES:
                largest = max(self._held, key=lambda each: self._held[each].size)
                yield largest, self._held.pop(largest)
        for partition in list(self._held):
            yield partition, self._held.pop(partition)

    def _encode(self, partition: Partition, held: _Held) -> None:
        schema = self._target.file_schema()
        rows = pa.Table.from_batches(held.rows).select(schema.names).cast(schema)
        file = self._open.get(partition)
        if file is not None and held.is_wide and not file.is_wide:
            self._close(partition)
            file = None
        if file is None:
            file = _File.begun(self._target, self._storage, partition, rows, is_wide=held.is_wide)
            self._open[partition] = file
        for start in range(0, rows.num_rows, ROW_GROUP_ROWS):
            file.write(rows.slice(start, ROW_GROUP_ROWS))
        if file.size >= FILE_BYTES:
            self._close(partition)
            return
        self._open[partition] = self._open.pop(partition)
        if len(self._open) > OPEN_FILES:
            self._close(next(iter(self._open)))

    def _close(self, partition: Partition) -> None:
        self._done.append(self._open[partition].close())
        del self._open[partition]


@dataclass
class _Held:
    """The rows of a row group before it is written."""

    rows: list[pa.RecordBatch] = field(default_factory=list)
    count: int = 0
    size: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows.append(batch)
        self.count += batch.num_rows
        self.size += batch.nbytes

    @property
    def is_full(self) -> bool:
        return self.count >= ROW_GROUP_ROWS or self.size >= ROW_GROUP_BYTES

    @property
    def is_wide(self) -> bool:
        return self.size > WIDE_BYTES * self.count


def _repetitive(rows: pa.Table, columns: Sequence[str]) -> list[str]:
    """Those of the columns whose values often repeat; no lists, whose values are not compared."""
    sample = rows.slice(0, _SAMPLE_ROWS).select(columns)
    plain = [field.name for field in sample.schema if not pa.types.is_nested(field.type)]
    most = len(sample) // 2
    return [name for name in plain if pc.count_distinct(sample[name]).as_py() <= most]


class _File:
    """One data file that is being written."""

    def __init__(
        self, path: str, values: dict[str, str], sink: pa.NativeFile, writer: pq.ParquetWriter
    ) -> None:
        self.path = path
        self._values = values
        self._sink = sink
        self._writer = writer
        self.is_wide = False

    @classmethod
    def begun(
        cls,
        target: Target,
        storage: Storage,
        partition: Partition,
        rows: pa.Table,
        *,
        is_wide: bool,
    ) -> _File:
        """Begin a new file for such rows, and create its folder if the storage has folders."""
        values = {n: str(v) for n, v in zip(target.partition_by, partition, strict=True)}
        folder = "/".join(f"{name}={value}" for name, value in values.items())
        name = f"part-00000-{uuid.uuid4()}-c000.zstd.parquet"
        path = f"{folder}/{name}" if folder else name
        if storage.is_local:
            storage.files.create_dir(storage.path(folder), recursive=True)
        schema = target.file_schema()
        verbatim = [f.name for f in schema if pa.types.is_binary(f.type)]
        texts = [f.name for f in schema if f.name not in verbatim]
        sink = storage.files.open_output_stream(storage.path(path))
        writer = pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=False if is_wide else _repetitive(rows, texts),
            # A minimum value of 100 MB in a page's header makes the file unreadable for other
            # readers.
            write_statistics=texts,
            write_batch_size=_ROWS_BETWEEN_PAGES,
        )
        file = cls(path, values, sink, writer)
        file.is_wide = is_wide
        return file

    @property
    def size(self) -> int:
        """How many bytes have been written."""
        return int(self._sink.tell())

    def write(self, rows: pa.Table) -> None:
        """Write rows as one row group."""
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))

    def close(self) -> AddAction:
        """Close the file; returns its entry for the commit."""
        self._writer.close()
        size = self.size
        self._sink.close()
        metadata = self._writer.writer.metadata
        return AddAction(
            self.path,
            size,
            self._values,
            int(time.time() * 1000),
            True,
            json.dumps(_statistics(metadata)),
        )

    def abandon(self) -> None:
        """Close the file of a write that has failed."""
        self._writer.is_open = False
        self._sink.close()


def _of_bounded_bytes(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut the batch into pieces that have at most the bytes of a row group."""
    pieces = -(-batch.nbytes // ROW_GROUP_BYTES)
    rows = max(1, batch.num_rows // max(1, pieces))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _by_partition(
    batch: pa.RecordBatch, columns: Sequence[str]
) -> Iterator[tuple[Partition, pa.RecordBatch]]:
    """The rows of each partition, in their order."""
    if not batch.num_rows:
        return
    coded = [batch.column(name).dictionary_encode() for name in columns]
    if all(len(each.dictionary) == 1 for each in coded):
        yield tuple(each.dictionary[0].as_py() for each in coded), batch
        return
    codes = np.zeros(batch.num_rows, np.int64)
    for each in coded:
        codes = codes * len(each.dictionary) + each.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        partition = tuple(each[int(rows[0])].as_py() for each in coded)
        # Copied with `take`: a slice would keep the whole batch in memory.
        yield partition, batch.take(pa.array(rows))


def _statistics(metadata: pq.FileMetaData) -> dict[str, Any]:
    """The file's statistics for Delta's log: rows, nulls, smallest and largest value by column."""
    smallest: dict[str, Any] = {}
    largest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for index in range(metadata.num_columns):
        name = metadata.schema.column(index).path
        chunks = [metadata.row_group(g).column(index) for g in range(metadata.num_row_groups)]
        known = [chunk.statistics for chunk in chunks if chunk.statistics is not None]
        if "." in name or not chunks or len(known) < len(chunks):
            continue
        nulls[name] = sum(each.null_count for each in known)
        valued = [each for each in known if each.num_values]
        if valued and all(each.has_min_max for each in valued):
            low, high = min(e.min for e in valued), max(e.max for e in valued)
            if _is_logged(low) and _is_logged(high):
                smallest[name], largest[name] = _logged(low), _logged(high)
    return {
        "numRecords": metadata.num_rows,
        "minValues": smallest,
        "maxValues": largest,
        "nullCount": nulls,
    }


def _is_logged(value: object) -> bool:
    if isinstance(value, bool | bytes):
        return False
    if isinstance(value, str):
        return len(value) <= _SHORT_TEXT
    return not isinstance(value, float) or math.isfinite(value)


def _logged(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value
