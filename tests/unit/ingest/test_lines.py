"""Lines of a stream equal those of `bytes.split`, for any bytes and block size."""

from __future__ import annotations

import tracemalloc

from hypothesis import example, given
from hypothesis import strategies as st

from social_assets.ingest.files.lines import (
    BATCH_ROWS,
    CUT,
    line_batches,
    without_lines,
)
from tests.unit.ingest.blocks import blocks_of

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
    batches = line_batches(blocks_of(data, block))
    found = [
        (record["offset"], record["value"]) for batch in batches for record in batch.to_pylist()
    ]
    assert found == split(data)


@given(BYTES, st.integers(1, 50), st.integers(0, 4))
def test_the_first_lines_can_be_left_out(data: bytes, block: int, count: int) -> None:
    left = b"".join(without_lines(blocks_of(data, block), count))
    assert left == b"\n".join(data.split(b"\n")[count:])


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"ab", b"c" * 9])).map(b"".join))
@example(b"12345678\r\n123456789\r\n")
def test_a_line_over_the_limit_is_cut_alike_wherever_blocks_end(data: bytes) -> None:
    expected = [
        (number, line if len(line) <= 8 else line[:8] + CUT) for number, line in split(data)
    ]
    for block in range(1, 14):
        batches = line_batches(blocks_of(data, block), max_record_bytes=8)
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert [(row["offset"], row["value"]) for row in rows] == expected


def test_a_line_without_end_is_never_in_memory_whole() -> None:
    endless = (b"x" * (1 << 20) for _ in range(512))
    tracemalloc.start()
    (batch,) = line_batches(endless, max_record_bytes=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch["value"].to_pylist() == [b"x" * 1000 + CUT]
    assert peak < 8 << 20


def test_a_block_of_many_short_lines_comes_in_batches_of_bounded_rows() -> None:
    batches = list(line_batches([b"a\n" * 200_000]))
    assert max(batch.num_rows for batch in batches) <= BATCH_ROWS
    assert sum(batch.num_rows for batch in batches) == 200_000
