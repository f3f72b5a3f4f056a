r"""Cuts a stream of bytes into lines, block by block, without a Python step for each line.

Here belongs line splitting for NDJSON and CSV. A line is a record; `\n` and `\r\n` end it; blank
lines are none, but count in the numbering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from social_assets.ingest.records import RECORDS, FileError

BLOCK_BYTES = 16 << 20
MAX_LINE_BYTES = 256 << 20
_NEWLINE, _RETURN = ord("\n"), ord("\r")
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def line_batches(
    stream: BinaryIO, path: Path, block_bytes: int = BLOCK_BYTES
) -> Iterator[pa.RecordBatch]:
    """The non-empty lines of a stream as batches of RECORDS, one batch a block.

    Memory is bounded by the block and the longest line. Raises FileError for UTF-16 and for a
    line over MAX_LINE_BYTES.
    """
    carry, line = b"", 1
    for block in _blocks(stream, path, block_bytes):
        data = carry + block
        end = data.rfind(b"\n") + 1
        if end:
            batch, lines = _split(data[:end], line)
            line += lines
            if batch.num_rows:
                yield batch
        carry = data[end:]
        if len(carry) > MAX_LINE_BYTES:
            limit = MAX_LINE_BYTES >> 20
            raise FileError(path, f"a line of over {limit} MiB; are line ends missing?", line)
    if carry:
        batch, _ = _split(carry + b"\n", line)
        if batch.num_rows:
            yield batch


def under_csv_header(
    batches: Iterator[pa.RecordBatch], check: Callable[[str], None]
) -> Iterator[pa.RecordBatch]:
    """Take the first line for the header of all others; `check` may refuse it."""
    header: str | None = None
    for batch in batches:
        records = batch
        if header is None:
            header = batch.column("value")[0].as_py().decode("utf-8", errors="replace")
            check(header)
            records = batch.slice(1)
        repeated = pa.repeat(pa.scalar(header), records.num_rows)
        yield records.set_column(1, RECORDS.field("csv_header"), repeated)


def _blocks(stream: BinaryIO, path: Path, block_bytes: int) -> Iterator[bytes]:
    first = True
    while block := stream.read(block_bytes):
        if first and block.startswith(_UTF16_BOMS):
            raise FileError(path, "UTF-16 text; save it as UTF-8")
        yield block.removeprefix(_UTF8_BOM) if first else block
        first = False


def _split(data: bytes, first_line: int) -> tuple[pa.RecordBatch, int]:
    """Lines of `data`, which ends in a newline, and how many there were, blank ones included."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == _NEWLINE)
    # A newline at position 0 has no byte before it: -1 looks at the last byte, a newline.
    returned = buffer[newlines - 1] == _RETURN
    ends = newlines - np.arange(len(newlines)) - np.cumsum(returned)
    offsets = np.concatenate([np.zeros(1), ends]).astype(np.int32)
    text = np.delete(buffer, np.concatenate([newlines, newlines[returned] - 1]))
    values = pa.BinaryArray.from_buffers(
        pa.binary(), len(newlines), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    numbers: npt.NDArray[np.int64] = np.arange(first_line, first_line + len(newlines))
    batch = pa.record_batch(
        [values, pa.nulls(len(newlines), pa.string()), pa.array(numbers, pa.int64())],
        schema=RECORDS,
    )
    return batch.filter(pa.array(np.diff(offsets) > 0)), len(newlines)
