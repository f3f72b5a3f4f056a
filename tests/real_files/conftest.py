"""Reads files of any shape as a load does: cut into records, decoded, validated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.ingest.files.open_file import read_records
from social_assets.ingest.records import ReadPosition
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.validate_block import BlockValidator
from tests.integration.transform.raw_records import raw_table

Rows = list[dict[str, Any]]
Load = Callable[[Path, Contract], tuple[Rows, list[str]]]


class Post(pa.DataFrameModel):
    """Posts as people export them."""

    post_id: str = pa.Field(description="The post")
    likes: int = pa.Field(nullable=True, description="Likes")
    ratio: float = pa.Field(nullable=True, description="Share of viewers who liked it")
    text: str = pa.Field(nullable=True, description="Its text")


POSTS = Contract(
    name="exported_posts",
    model=Post,
    key=("post_id",),
    formats=("csv", "ndjson", "parquet"),
    owner="team:test",
)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The cleaned rows of a file with their reasons, and the notes of its reader."""

    def rows_of(path: Path, contract: Contract = POSTS) -> tuple[Rows, list[str]]:
        position, rows = ReadPosition(), []
        with DuckDBEngine(tmp_path / "spill").session() as session:
            validator = BlockValidator(session, contract)
            for records in read_records(contract, path, session.json_records, position):
                raw = raw_table(records["value"].to_pylist(), None, "file")
                index = raw.column_names.index("csv_header")
                raw = raw.set_column(index, "csv_header", records["csv_header"])
                rows += validator.of(raw).to_pylist()
        return rows, position.notes

    return rows_of
