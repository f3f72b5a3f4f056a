"""DuckDB scans the files of a lake on S3 as it scans those of a folder."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.lake.delta import Applied, LakeTable
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_root_in

pytestmark = pytest.mark.s3

NARROW = pa.schema([pa.field("id", pa.int64()), pa.field("event_date", pa.date32())])
WIDE = NARROW.append(pa.field("later", pa.string()))
DAYS = (date(2026, 3, 1), date(2026, 3, 2))


@pytest.fixture
def table(tmp_path: Path) -> LakeTable:
    """A table of two days; the file of the second has a column that the first lacks."""
    uri = f"{lake_root_in(tmp_path)}/scanned"
    for number, (schema, day) in enumerate(zip((NARROW, WIDE), DAYS, strict=True)):
        rows = {"id": [number], "event_date": [day], "later": ["yes"]}
        table = LakeTable(uri, schema, ("event_date",))
        table.append(pa.table({n: rows[n] for n in schema.names}, schema), Applied("a", number + 1))
    return table


def test_partitions_and_lacking_columns_have_their_values(table: LakeTable, tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "spill").session() as session:
        rows = session.scan(table.files(), WIDE, WIDE.names, may_lack=True)
        found = session.table(rows.order_by("id")).to_pylist()
        assert found == [
            {"id": 0, "event_date": DAYS[0], "later": None},
            {"id": 1, "event_date": DAYS[1], "later": "yes"},
        ]
        assert session.table(rows.filter(rows.event_date == DAYS[1])).num_rows == 1


def test_each_row_tells_its_file(table: LakeTable, tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "spill").session() as session:
        rows = session.scan(table.files(), WIDE, ["id", "event_date"], with_file=True)
        found = session.table(rows).to_pylist()
    assert {row["filename"] for row in found} == set(table.files())
    assert all(f"event_date={row['event_date']}" in row["filename"] for row in found)


def test_a_hundred_files_are_one_scan(table: LakeTable, tmp_path: Path) -> None:
    for number in range(100):
        rows = pa.table({"id": [number], "event_date": [DAYS[1]], "later": ["no"]}, WIDE)
        table.append(rows, Applied("many", number + 1))
    with DuckDBEngine(tmp_path / "spill").session() as session:
        rows = session.scan(table.files(), WIDE, ["id"], with_file=True)
        assert session.table(rows.aggregate(n=rows.filename.nunique())).to_pylist() == [{"n": 102}]


def test_a_table_without_files_has_no_rows(tmp_path: Path) -> None:
    with DuckDBEngine(tmp_path / "spill").session() as session:
        assert session.table(session.scan([], WIDE, ["id"])).num_rows == 0
