"""The progress of a load counts a file's own bytes: at its end, all of them, in every format."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.registry import contract
from social_assets.ingest.files.open_file import read_records
from social_assets.ingest.records import ReadPosition
from social_assets.operate.load.progress import LoadProgress, shown
from social_assets.pipeline.files.landing_progress import watched
from social_assets.transform.duckdb_engine import DuckDBEngine

POSTS = replace(contract("posts"), formats=("csv", "ndjson", "parquet"))
COLUMNS = ("post_id", "account_id", "platform", "media_type")
ROWS = [(f"p{n}", "1", "X", "text") for n in range(3)]


def csv(rows: list[tuple[str, ...]]) -> bytes:
    return b"".join(f"{','.join(row)}\r\n".encode() for row in [COLUMNS, *rows])


def ndjson(rows: list[tuple[str, ...]]) -> bytes:
    lines = (", ".join(f'"{n}": "{v}"' for n, v in zip(COLUMNS, row, strict=True)) for row in rows)
    return b"\n\n".join(b"{" + line.encode() + b"}" for line in lines)


def parquet(rows: list[tuple[str, ...]]) -> bytes:
    file = io.BytesIO()
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    pq.write_table(pa.Table.from_pylist(table, schema=schema), file)
    return file.getvalue()


FORMATS: dict[str, Callable[[list[tuple[str, ...]]], bytes]] = {
    "posts.csv": csv,
    "posts.csv.gz": lambda rows: gzip.compress(csv(rows)),
    "posts.ndjson": ndjson,
    "posts.ndjson.gz": lambda rows: gzip.compress(ndjson(rows)),
    "posts.parquet": parquet,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rows", [ROWS, []], ids=["records", "none"])
def test_at_its_end_all_bytes_of_a_file_have_been_read(
    name: str, rows: list[tuple[str, ...]], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name](rows))
    said: list[str] = []
    position = ReadPosition()
    with (
        DuckDBEngine(tmp_path / "spill").session() as session,
        shown(LoadProgress(said.append, is_live=False)),
    ):
        records = read_records(POSTS, path, session.json_records, position)
        list(watched(path, records, position))
    assert position.bytes == path.stat().st_size
    (line,) = said
    found = re.fullmatch(rf"{name}: {len(rows)} records, (.+) of (.+) read", line)
    assert found is not None and found[1] == found[2]


@pytest.mark.parametrize("name", ["posts.csv", "posts.csv.gz", "posts.parquet"])
def test_progress_grows_while_a_large_file_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FORMATS[name]([(f"p{n}", "1", "X", "text") for n in range(200_000)]))
    position = ReadPosition()
    with DuckDBEngine(tmp_path / "spill").session() as session:
        records = read_records(POSTS, path, session.json_records, position)
        seen = [position.bytes for _ in records]
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert 0 < seen[0] <= seen[-1] <= path.stat().st_size == position.bytes
