r"""Cuts a stream of bytes into lines, block by block, without a Python step for each line.

Here belongs line splitting for NDJSON and CSV: `\n` and `\r\n` end a line; blank lines are no
records, but count in the numbering. A line over the limit is cut as it is read, so that it is never
in memory whole. Which lines make a CSV record is decided by `csv_records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.ingest.records import RECORDS

BLOCK_BYTES = 16 << 20
BATCH_ROWS = 65_536
MAX_RECORD_BYTES = 1 << 20

CUT = b"\xff"
"""The last byte of a cut line. It is not valid UTF-8, so that a part of a record is never accepted
as the whole, whatever limit a later contract sets."""

NEWLINE = ord("\n")
_RETURN = ord("\r")


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
    blocks: Iterable[bytes],
    max_record_bytes: int = MAX_RECORD_BYTES,
    splitter: Splitter | None = None,
    first_line: int = 1,
) -> Iterator[pa.RecordBatch]:
    """The records of a text, each of one or more lines and not empty, as batches of RECORDS, of at
    most BATCH_ROWS and a block. The text's first line has the number `first_line`.

    A line over `max_record_bytes` is cut to that many bytes and CUT: one byte over the limit, so
    that the contract rejects it.
    """
    splitter = splitter or EveryLine(max_record_bytes)
    carry, line, is_cut = b"", first_line, False
    for block in blocks:
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
            yield from of_bounded_rows(split.records)
        carry = data[taken:]
        # Two more bytes: the carriage return may still turn out to belong to the line's end.
        spare = len(data) - end - (max_record_bytes + 2)
        if spare > 0:
            carry, is_cut = carry[:-spare], True
    if carry:
        ended = carry if carry.endswith(b"\n") else carry + b"\n"
        yield from of_bounded_rows(splitter.split(ended, line, is_last=True).records)


def without_lines(blocks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The same text without its first lines."""
    left = count
    for block in blocks:
        start = 0
        while left and (start := block.find(b"\n", start) + 1):
            left -= 1
        if not left:
            yield block[start:]


def of_bounded_rows(lines: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The same records in batches of at most BATCH_ROWS."""
    for start in range(0, lines.num_rows, BATCH_ROWS):
        yield lines.slice(start, BATCH_ROWS)


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
