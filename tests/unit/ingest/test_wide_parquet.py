"""Rows of Parquet files come in batches of bounded bytes, for rows of any width."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.registry import contract
from social_assets.ingest.files.open_file import read_records
from social_assets.ingest.files.parquet_records import PARQUET_BATCH_BYTES
from social_assets.transform.duckdb_engine import DuckDBEngine

POSTS = replace(contract("posts"), formats=("parquet",))


def written(path: Path, contents: list[str]) -> Path:
    rows = len(contents)
    table = {
        "post_id": [f"p{n}" for n in range(rows)],
        "account_id": [1] * rows,
        "platform": ["X"] * rows,
        "content": contents,
        "media_type": ["text"] * rows,
    }
    pq.write_table(pa.table(table), path, row_group_size=max(1, rows))
    return path


def read(path: Path, memory: str = "640MB") -> list[pa.RecordBatch]:
    with DuckDBEngine(path.parent / "spill", memory_limit=memory).session() as session:
        return list(read_records(POSTS, path, session.json_records))


def numbers(batches: list[pa.RecordBatch]) -> list[int]:
    return [number for batch in batches for number in batch.column("offset").to_pylist()]


@pytest.mark.parametrize("kind", ["that differ", "of a dictionary"])
def test_wide_rows_come_in_batches_of_bounded_bytes(tmp_path: Path, kind: str) -> None:
    rows, width = 400, 200_000
    same = ["x" * width] * rows
    contents = same if kind == "of a dictionary" else [os.urandom(width // 2).hex() for _ in same]
    batches = read(written(tmp_path / "posts.parquet", contents))
    assert numbers(batches) == list(range(1, rows + 1))
    assert max(batch.nbytes for batch in batches) < 2 * PARQUET_BATCH_BYTES


def test_narrow_rows_come_many_at_once(tmp_path: Path) -> None:
    batches = read(written(tmp_path / "posts.parquet", ["a"] * 100_000))
    assert numbers(batches) == list(range(1, 100_001))
    assert len(batches) == 2


def test_rows_that_the_engine_has_no_memory_for_together_are_taken_in_halves(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "posts.parquet", [os.urandom(200_000).hex() for _ in range(80)])
    batches = read(path, memory="60MB")
    assert numbers(batches) == list(range(1, 81))


def test_a_row_that_the_engine_has_no_memory_for_alone_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.parquet", ["a", "x" * (8 << 20)])
    with pytest.raises(duckdb.OutOfMemoryException):
        read(path, memory="10MB")


def test_a_record_over_the_limit_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path / "posts.parquet", ["a", "x" * (2 << 20), "b"])
    (batch,) = read(path)
    lengths = [len(value) for value in batch.column("value").to_pylist()]
    assert lengths[1] == POSTS.max_record_bytes + 1
    assert max(lengths[0], lengths[2]) < 200
