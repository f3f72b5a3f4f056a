"""Lines of a stream equal those of `bytes.split`, for any bytes and block size."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from social_assets.ingest.files.lines import (
    BATCH_ROWS,
    CUT,
    MAX_HEADER_BYTES,
    line_batches,
    under_csv_header,
)
from social_assets.ingest.records import FileError

HERE = Path("some.ndjson")
_PIECES = [b"\n", b"\r\n", b"\r", b"a", b"{}", b"\xff", b"\0"]
BYTES = st.lists(st.sampled_from(_PIECES)).map(b"".join)


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Number and bytes of every line that is not empty."""
    lines = data.split(b"\n")
    ended = [line.removesuffix(b"\r") for line in lines[:-1]] + [lines[-1].removesuffix(b"\r")]
    return [(number, line) for number, line in enumerate(ended, start=1) if line]


@given(BYTES | st.binary(), st.integers(1, 50))
@example(b"\n\r\n\na\r\n\r", 1)
@example(b"\r\n", 1)
def test_lines_are_those_of_split_for_any_bytes_and_block_size(data: bytes, block: int) -> None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = b" " + data
    batches = line_batches(io.BytesIO(data), HERE, block)
    found = [
        (record["offset"], record["value"]) for batch in batches for record in batch.to_pylist()
    ]
    expected = split(data.removeprefix(b"\xef\xbb\xbf") if block >= 3 else data)
    assert found == expected


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    (batch,) = line_batches(io.BytesIO(b"\xef\xbb\xbfa,b\n"), HERE)
    assert batch["value"].to_pylist() == [b"a,b"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding: str) -> None:
    stream = io.BytesIO("\ufeffa,b\n".encode(encoding))
    with pytest.raises(FileError, match="UTF-16"):
        list(line_batches(stream, HERE))


def test_a_csv_header_stands_with_every_record_and_is_none() -> None:
    checked: list[str] = []
    lines = line_batches(io.BytesIO(b"\na,b\n1,2\n3,4\n"), HERE, 5)
    records = [r for b in under_csv_header(lines, HERE, checked.append) for r in b.to_pylist()]
    assert checked == ["a,b"]
    assert [(r["offset"], r["value"], r["csv_header"]) for r in records] == [
        (3, b"1,2", "a,b"),
        (4, b"3,4", "a,b"),
    ]


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"ab", b"c" * 9])).map(b"".join))
@example(b"12345678\r\n123456789\r\n")
def test_a_line_over_the_limit_is_cut_alike_wherever_blocks_end(data: bytes) -> None:
    expected = [
        (number, line if len(line) <= 8 else line[:8] + CUT) for number, line in split(data)
    ]
    for block in range(1, 14):
        batches = line_batches(io.BytesIO(data), HERE, block, max_record_bytes=8)
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert [(row["offset"], row["value"]) for row in rows] == expected


def test_a_line_without_end_is_never_in_memory_whole() -> None:
    class Endless(io.RawIOBase):
        left = 512

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"x" * size if self.left >= 0 else b""

    tracemalloc.start()
    (batch,) = line_batches(Endless(), HERE, 1 << 20, max_record_bytes=1000)  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch["value"].to_pylist() == [b"x" * 1000 + CUT]
    assert peak < 8 << 20


def test_a_block_of_many_short_lines_comes_in_batches_of_bounded_rows() -> None:
    batches = list(line_batches(io.BytesIO(b"a\n" * 200_000), HERE))
    assert max(batch.num_rows for batch in batches) <= BATCH_ROWS
    assert sum(batch.num_rows for batch in batches) == 200_000


def test_a_csv_header_that_would_fill_the_memory_is_refused() -> None:
    lines = line_batches(io.BytesIO(b"a," * MAX_HEADER_BYTES + b"\n1\n"), HERE)
    with pytest.raises(FileError, match="header of over 64 KiB"):
        list(under_csv_header(lines, HERE, lambda _: None))
