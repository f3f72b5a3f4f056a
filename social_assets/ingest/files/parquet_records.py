"""Reads a Parquet file as batches of records, one JSON object a row.

Belongs here: how the rows of a Parquet file are read within bounds of rows and bytes. How a row's
values become JSON belongs to the engine (`Session.json_records`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.ingest.files.lines import cut
from social_assets.ingest.records import RECORDS, FileError, ReadPosition, is_of_the_machine

PARQUET_BATCH_ROWS = 65_536
PARQUET_BATCH_BYTES = 16 << 20
"""Up to so many rows and bytes of a Parquet file are turned into records together."""
PARQUET_READ_ROWS = 256
PARQUET_READ_BYTES = 4 << 20
"""Parquet rows are decoded up to so many bytes at a time. A row group tells the size of its rows,
but not how often a wide text of its dictionary is repeated."""

ToJson = Callable[[pa.RecordBatch, int], pa.RecordBatch]
"""Turns a batch of Parquet rows, numbered from the second argument, into records of JSON bytes."""


def parquet_records(
    path: Path,
    to_json: ToJson,
    position: ReadPosition,
    max_record_bytes: int,
    columns_to_read: Callable[[Sequence[str]], list[str]],
) -> Iterator[pa.RecordBatch]:
    """The records of a file, in batches of bounded size; keeps `position` up to date.

    `columns_to_read` chooses among the names of its columns: the others are not read, so that
    their types and contents do not matter. Raises FileError if the file cannot be read.
    """
    try:
        size = path.stat().st_size
        with pq.ParquetFile(path, buffer_size=1 << 20) as file:
            columns = columns_to_read(file.schema_arrow.names)
            row = 1
            for rows in _gathered(chain.from_iterable(map(_cut, _parquet_rows(file, columns)))):
                records = to_json(rows, row)
                values = cut(records.column("value"), max_record_bytes)
                row += rows.num_rows
                # As a share of the rows: a reader of columns has no place in the file.
                position.bytes = size * (row - 1) // file.metadata.num_rows
                yield records.set_column(0, RECORDS.field("value"), values)
            position.bytes = size
    except (pa.ArrowInvalid, OSError) as error:
        if is_of_the_machine(error):
            raise
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> FileError:
    """Why a Parquet file cannot be read."""
    if "decrypt" in str(error).lower():
        told = f"it is encrypted ({error}); decrypt it, and load what comes out"
        return FileError(path, told)
    return FileError(path, f"broken Parquet ({error}); copy the file again")


def _parquet_rows(file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file with some of its columns, a few at a time."""
    # The metadata of an encrypted column ends the process, whereas reading it raises an error.
    first = file.iter_batches(1, row_groups=[0][: file.num_row_groups], columns=columns)
    next(first, None)
    names = tuple(f"{name}." for name in columns)
    paths = (f"{file.schema.column(number).path}." for number in range(len(file.schema)))
    read_chunks = [number for number, path in enumerate(paths) if path.startswith(names)]
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        size = sum(group.column(chunk).total_uncompressed_size for chunk in read_chunks)
        width = max(1, size // max(1, group.num_rows))
        at_once = max(1, min(PARQUET_READ_ROWS, PARQUET_READ_BYTES // width))
        groups = [number]
        read = file.iter_batches(at_once, row_groups=groups, columns=columns, use_threads=False)
        # A name with a point stands for the fields of a nested column too.
        yield from (batch.select(columns) for batch in read)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch in pieces of about PARQUET_BATCH_BYTES."""
    pieces = max(1, -(-batch.nbytes // PARQUET_BATCH_BYTES))
    rows = max(1, batch.num_rows // pieces)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at most PARQUET_BATCH_ROWS, and about PARQUET_BATCH_BYTES."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if held and (
            rows + batch.num_rows > PARQUET_BATCH_ROWS or size + batch.nbytes > PARQUET_BATCH_BYTES
        ):
            yield pa.concat_batches(held)
            held, rows, size = [], 0, 0
        held.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
    if held:
        yield pa.concat_batches(held)
