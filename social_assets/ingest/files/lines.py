r"""Cuts a stream of bytes into lines, block by block, without a Python step for each line.

Here belongs line splitting for NDJSON and CSV: `\n` and `\r\n` end a line; blank lines are no
records, but count in the numbering. A line over the limit is cut as it is read, so that it is never
in memory whole. Which lines make a CSV record is decided by `csv_records`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.ingest.records import RECORDS, FileError

BLOCK_BYTES = 16 << 20
BATCH_ROWS = 65_536
MAX_RECORD_BYTES = 1 << 20
MAX_HEADER_BYTES = 64 << 10
"""The largest CSV header: it is stored with every record of its file."""

CUT = b"\xff"
"""The last byte of a cut line. It is not valid UTF-8, so that a part of a record is never accepted
as the whole, whatever limit a later contract sets."""

NEWLINE = ord("\n")
_RETURN = ord("\r")
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Splitter(Protocol):
    """Cuts lines into records."""

    def split(self, data: bytes, first_line: int, *, is_last: bool) -> SplitBlock:
        """The records of `data`, which ends in a newline; all of it if it is the last."""
        ...


class SplitBlock(NamedTuple):
    """Records, and how many bytes and lines of the data they and blank lines take."""

    records: pa.RecordBatch
    taken_bytes: int
    taken_lines: int


@dataclass(frozen=True)
class EveryLine:
    """A line is a record."""

    max_record_bytes: int = MAX_RECORD_BYTES

    def split(self, data: bytes, first_line: int, *, is_last: bool) -> SplitBlock:  # noqa: ARG002
        """All of `data`."""
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == NEWLINE)
        numbers = np.arange(first_line, first_line + len(ends))
        records = records_between(data, ends, numbers, self.max_record_bytes)
        return SplitBlock(records, len(data), len(ends))


def line_batches(
    stream: BinaryIO,
    path: Path,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = MAX_RECORD_BYTES,
    splitter: Splitter | None = None,
) -> Iterator[pa.RecordBatch]:
    """The records of a stream, each of one or more lines and not empty, as batches of RECORDS, of
    at most BATCH_ROWS and a block.

    A line over `max_record_bytes` is cut to that many bytes and CUT: one byte over the limit, so
    that the contract rejects it. Raises FileError for UTF-16.
    """
    splitter = splitter or EveryLine(max_record_bytes)
    carry, line, is_cut = b"", 1, False
    for block in _blocks(stream, path, block_bytes):
        rest = block
        if is_cut:
            end_of_cut = block.find(b"\n")
            if end_of_cut < 0:
                continue
            rest, is_cut = block[end_of_cut:], False
        data = carry + rest
        end = data.rfind(b"\n") + 1
        taken = 0
        if end:
            split = splitter.split(data[:end], line, is_last=False)
            taken, line = split.taken_bytes, line + split.taken_lines
            yield from _of_bounded_rows(split.records)
        carry = data[taken:]
        # Two more bytes: the carriage return may still turn out to belong to the line's end.
        spare = len(data) - end - (max_record_bytes + 2)
        if spare > 0:
            carry, is_cut = carry[:-spare], True
    if carry:
        ended = carry if carry.endswith(b"\n") else carry + b"\n"
        yield from _of_bounded_rows(splitter.split(ended, line, is_last=True).records)


def under_csv_header(
    batches: Iterator[pa.RecordBatch], path: Path, check: Callable[[str], None]
) -> Iterator[pa.RecordBatch]:
    """Use the first line as the header of all others; `check` may refuse it.

    Raises FileError for a header of over MAX_HEADER_BYTES.
    """
    header: str | None = None
    for batch in batches:
        records = batch
        if header is None:
            line = batch.column("value")[0].as_py()
            if len(line) > MAX_HEADER_BYTES:
                limit = MAX_HEADER_BYTES >> 10
                raise FileError(path, f"a header of over {limit} KiB; is it a CSV file?", 1)
            header = line.decode("utf-8", errors="replace")
            check(header)
            records = batch.slice(1)
        rows = max(1, BLOCK_BYTES // max(1, len(header)))
        for start in range(0, records.num_rows, rows):
            few = records.slice(start, rows)
            repeated = pa.repeat(pa.scalar(header), few.num_rows)
            yield few.set_column(1, RECORDS.field("csv_header"), repeated)


def _of_bounded_rows(lines: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, lines.num_rows, BATCH_ROWS):
        yield lines.slice(start, BATCH_ROWS)


def _blocks(stream: BinaryIO, path: Path, block_bytes: int) -> Iterator[bytes]:
    first = True
    while block := stream.read(block_bytes):
        if first and block.startswith(_UTF16_BOMS):
            raise FileError(path, "UTF-16 text; save it as UTF-8")
        yield block.removeprefix(_UTF8_BOM) if first else block
        first = False


def records_between(
    data: bytes,
    ends: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.int64],
    max_bytes: int,
) -> pa.RecordBatch:
    r"""The records that end at the newlines `ends` of `data`, and have these numbers.

    Their bytes are what lies between two ends, without `\n` or `\r\n` at the end. Empty records
    are left out, long ones cut.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    # A newline at position 0 has no byte before it: -1 looks at the last byte, a newline.
    returned = buffer[ends - 1] == _RETURN
    stops = ends + 1 - np.arange(1, len(ends) + 1) - np.cumsum(returned)
    offsets = np.concatenate([np.zeros(1), stops]).astype(np.int32)
    whole = buffer[: ends[-1] + 1 if len(ends) else 0]
    text = np.delete(whole, np.concatenate([ends, ends[returned] - 1]))
    values = pa.BinaryArray.from_buffers(
        pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    lengths = np.diff(offsets)
    if (lengths > max_bytes).any():
        values = cut(values, max_bytes)
    batch = pa.record_batch(
        [values, pa.nulls(len(ends), pa.string()), pa.array(numbers, pa.int64())],
        schema=RECORDS,
    )
    return batch.filter(pa.array(lengths > 0))


def cut(values: pa.Array, max_bytes: int) -> pa.Array:
    """Cut the values that are longer than `max_bytes` to that length, with CUT as last byte."""
    shortened = pc.binary_join_element_wise(pc.binary_slice(values, 0, max_bytes), CUT, b"")
    return pc.if_else(pc.greater(pc.binary_length(values), max_bytes), shortened, values)
