"""A table is readable at any path."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.lake.delta import LakeTable
from social_assets.transform.duckdb_engine import DuckDBEngine

SCHEMA = pa.schema([("name", pa.string()), ("event_date", pa.date32())])
DAY = date(2026, 1, 1)


@pytest.mark.parametrize("folder", ["a b", "ü", "a%b", "a#b", "it's", "a*b", "{a,b}:;&$"])
def test_the_engine_reads_the_files_of_a_table_in_a_folder_of_any_name(
    tmp_path: Path, folder: str
) -> None:
    table = LakeTable(str(tmp_path / folder / "table"), SCHEMA, ("event_date",))
    rows = pa.table({"name": ["ada"], "event_date": [DAY]}, schema=SCHEMA)
    table.append(rows)
    # A pattern must not match a neighbour.
    LakeTable(str(tmp_path / "aXb" / "table"), SCHEMA, ("event_date",)).append(rows)
    files = table.files([DAY])
    assert all(Path(file).is_file() for file in files)
    with DuckDBEngine(tmp_path / folder / "spill").session() as session:
        found = session.table(session.scan(files, SCHEMA, SCHEMA.names))
    assert found.to_pylist() == [{"name": "ada", "event_date": DAY}]
