"""Days are replaced in one commit, and no other day changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from social_assets.lake.delta import LakeTable

SCHEMA = pa.schema([pa.field("number", pa.int64()), pa.field("event_date", pa.date32())])
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))


def rows(*days: date) -> pa.RecordBatchReader:
    made = [{"number": number, "event_date": day} for number, day in enumerate(days)]
    return pa.Table.from_pylist(made, SCHEMA).to_reader()


@pytest.fixture
def table(tmp_path: Path) -> LakeTable:
    found = LakeTable(str(tmp_path / "cleaned"), SCHEMA, ("event_date",))
    found.append(rows(MONDAY, TUESDAY, TUESDAY, WEDNESDAY))
    return found


def test_a_range_of_days_changes_in_one_commit(table: LakeTable) -> None:
    before = DeltaTable(table.uri).version()
    table.replace([MONDAY, TUESDAY], rows(MONDAY, MONDAY, TUESDAY))
    assert DeltaTable(table.uri).version() == before + 1
    assert table.rows_by_day() == {MONDAY: 2, TUESDAY: 1, WEDNESDAY: 1}


def test_a_day_without_rows_becomes_empty(table: LakeTable) -> None:
    table.replace([MONDAY, TUESDAY], rows(MONDAY))
    assert table.rows_by_day() == {MONDAY: 1, WEDNESDAY: 1}


def test_rows_of_another_day_are_refused(table: LakeTable) -> None:
    with pytest.raises(ValueError, match="2026-03-04"):
        table.replace([MONDAY, TUESDAY], rows(MONDAY, WEDNESDAY))
    assert table.rows_by_day() == {MONDAY: 1, TUESDAY: 2, WEDNESDAY: 1}
