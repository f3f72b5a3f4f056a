"""Opens a file of a stream (CSV, NDJSON, gzip of either, or Parquet) as batches of records.

Belongs here: what is decided for the whole file: its format, its identity, whether its header or
schema fits the contract. A bad record is not an error here; a bad file is one (`FileError`).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract, FileFormat
from social_assets.ingest.files.csv_records import CsvRecords
from social_assets.ingest.files.lines import cut, line_batches, under_csv_header
from social_assets.ingest.records import RECORDS, FileError

PARQUET_BATCH_ROWS = 65_536
PARQUET_BATCH_BYTES = 16 << 20
"""Up to so many rows and bytes of a Parquet file are turned into records together."""
PARQUET_READ_ROWS = 256
PARQUET_READ_BYTES = 4 << 20
"""Parquet rows are decoded up to so many bytes at a time. A row group tells the size of its rows,
but not how often a wide text of its dictionary is repeated."""
_GZIP_MAGIC = b"\x1f\x8b"
_SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}

ToJson = Callable[[pa.RecordBatch, int], pa.RecordBatch]
"""Turns a batch of Parquet rows, numbered from the second argument, into records of JSON bytes."""


@dataclass
class ReadPosition:
    """How many bytes of a file have been read, as it is stored: all of them at its end."""

    bytes: int = 0


def content_hash(path: Path) -> str:
    """The identity of a file by its content, not its name: 32 hex digits of SHA-256.

    Raises FileError if there is no such file.
    """
    if not path.is_file():
        raise FileError(path, "no such file")
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror})") from error


def file_format(contract: Contract, path: Path) -> FileFormat:
    """The format by the file's name. Raises FileError if the contract does not accept it."""
    suffixes = [s.lower() for s in path.suffixes]
    suffix = next((s for s in reversed(suffixes) if s != ".gz"), "")
    found = _SUFFIXES.get(suffix)
    if found is None or found not in contract.formats:
        raise FileError(
            path,
            f"{suffix or 'a file without ending'} is no format of {contract.name}, "
            f"which takes {', '.join(contract.formats)}",
        )
    return found


def read_records(
    contract: Contract, path: Path, to_json: ToJson, position: ReadPosition | None = None
) -> Iterator[pa.RecordBatch]:
    """The records of a file, in batches of bounded size; keeps `position` up to date.

    Raises FileError, with the file, the reason and the row if known, if the file does not have the
    format of its name, is truncated, or lacks a required column.
    """
    position = position or ReadPosition()
    if file_format(contract, path) == "parquet":
        yield from _parquet_records(contract, path, to_json, position)
    else:
        yield from _text_records(contract, path, position)


def _text_records(
    contract: Contract, path: Path, position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    with ExitStack() as opened:
        raw = opened.enter_context(path.open("rb"))
        is_gzip = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        stream = cast(BinaryIO, opened.enter_context(gzip.open(raw))) if is_gzip else raw
        most = contract.max_record_bytes
        if file_format(contract, path) == "csv":
            records = line_batches(stream, path, max_record_bytes=most, splitter=CsvRecords(most))
            lines = under_csv_header(records, path, partial(_check_header, contract, path))
        else:
            lines = line_batches(stream, path, max_record_bytes=most)
        try:
            for batch in lines:
                position.bytes = raw.tell()
                yield batch
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise FileError(path, f"broken gzip ({error}); copy the file again") from error
        position.bytes = raw.tell()


def _parquet_records(
    contract: Contract, path: Path, to_json: ToJson, position: ReadPosition
) -> Iterator[pa.RecordBatch]:
    try:
        size = path.stat().st_size
        with pq.ParquetFile(path, buffer_size=1 << 20) as file:
            _check_columns(contract, path, file.schema_arrow.names)
            row = 1
            for rows in _gathered(chain.from_iterable(map(_cut, _parquet_rows(file)))):
                records = to_json(rows, row)
                values = cut(records.column("value"), contract.max_record_bytes)
                row += rows.num_rows
                # As a share of the rows: a reader of columns has no place in the file.
                position.bytes = size * (row - 1) // file.metadata.num_rows
                yield records.set_column(0, RECORDS.field("value"), values)
            position.bytes = size
    except (pa.ArrowInvalid, OSError) as error:
        raise FileError(path, f"broken Parquet ({error}); copy the file again") from error


def _parquet_rows(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """The rows of a file, a few at a time."""
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        width = max(1, group.total_byte_size // max(1, group.num_rows))
        at_once = max(1, min(PARQUET_READ_ROWS, PARQUET_READ_BYTES // width))
        yield from file.iter_batches(at_once, row_groups=[number], use_threads=False)


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


def _check_header(contract: Contract, path: Path, header: str) -> None:
    if "\r" in header:
        raise FileError(path, "lines end in a carriage return alone; save it with \\n", row=1)
    try:
        names = next(csv.reader([header]), [])
    except csv.Error as error:
        raise FileError(path, f"its header is no CSV ({error})", row=1) from error
    _check_columns(contract, path, names)


def _check_columns(contract: Contract, path: Path, names: Iterable[str]) -> None:
    """Raise FileError for a file without a required column: all its records would be rejected."""
    found = {match_key(name) for name in names}
    source = {c.name: c.match_key for c in contract.source_columns}
    absent = [name for name in contract.required if source[name] not in found]
    if absent:
        raise FileError(
            path, f"its header lacks {', '.join(absent)}, required by {contract.name}", row=1
        )
