"""Rows of any width are written in bounded memory, to files that readers have memory for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.lake import data_files
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import row_groups

SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("value", pa.binary()),
        pa.field("content", pa.string()),
        pa.field("ingested_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("event_date", pa.date32(), nullable=False),
    ]
)
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
ARRIVED = datetime(2026, 3, 4, 12, 0, 0, 123_456, UTC)
MIB = 1 << 20


@pytest.fixture
def table(tmp_path: Path) -> LakeTable:
    return LakeTable(str(tmp_path / "raw"), SCHEMA, ("event_date",))


def batch(start: int, rows: int, width: int, *days: date) -> pa.RecordBatch:
    """Rows whose bytes do not compress, of some days in turn."""
    columns = [
        pa.array(range(start, start + rows)),
        pa.array([os.urandom(width) for _ in range(rows)]),
        pa.nulls(rows, pa.string()),
        pa.repeat(pa.scalar(ARRIVED, SCHEMA.field("ingested_at").type), rows),
        pa.array([(days or (MONDAY,))[n % len(days or (MONDAY,))] for n in range(rows)]),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def numbers(table: LakeTable) -> list[int]:
    found: list[int] = sorted(table.read()["number"].to_pylist())
    return found


@pytest.mark.parametrize("days", [(MONDAY,), (MONDAY, TUESDAY)])
def test_the_rows_of_a_write_are_not_gathered_in_memory(
    table: LakeTable, days: tuple[date, ...]
) -> None:
    peak = 0

    def rows() -> Iterator[pa.RecordBatch]:
        nonlocal peak
        for start in range(0, 1_500, 20):
            peak = max(peak, pa.total_allocated_bytes() - before)
            yield batch(start, 20, 100_000, *days)

    before = pa.total_allocated_bytes()
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, rows()))
    table.replace(days, pa.RecordBatchReader.from_batches(SCHEMA, rows()))
    assert numbers(table) == list(range(1_500))
    assert peak < 110 * MIB


def test_rows_that_become_wide_later_are_in_row_groups_of_bounded_bytes(table: LakeTable) -> None:
    batches = [batch(0, 5_000, 100), batch(5_000, 100, 900_000), batch(5_100, 5_000, 100)]
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, batches))
    assert numbers(table) == list(range(10_100))
    groups = row_groups(table, [MONDAY])
    assert max(group.size_bytes for group in groups) < 2 * data_files.ROW_GROUP_BYTES


def test_a_wide_text_that_repeats_says_how_many_bytes_it_takes(table: LakeTable) -> None:
    text = "x" * 100_000
    rows = batch(0, 100, 10).set_column(2, SCHEMA.field("content"), pa.array([text] * 100))
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, [rows]))
    assert sum(group.size_bytes for group in row_groups(table, [MONDAY])) > 100 * len(text)


def test_many_open_days_share_the_memory_of_one(
    table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_files, "HELD_BYTES", MIB)
    days = [date(2026, 3, day) for day in range(1, 11)]
    batches = [batch(start, 100, 5_000, *days) for start in range(0, 1_000, 100)]
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, batches))
    assert numbers(table) == list(range(1_000))
    assert table.rows_by_day() == dict.fromkeys(days, 100)


def test_the_log_tells_how_many_rows_a_file_has_and_their_latest_time(table: LakeTable) -> None:
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, [batch(0, 10, 10, MONDAY, TUESDAY)]))
    assert table.rows_by_day() == {MONDAY: 5, TUESDAY: 5}
    assert table.latest("ingested_at") == ARRIVED
    assert table.files_since("ingested_at", ARRIVED + timedelta(milliseconds=1)) == []
    assert len(table.files_since("ingested_at", ARRIVED - timedelta(microseconds=1))) == 2


def test_a_write_that_fails_leaves_no_file(table: LakeTable) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        for start in range(5):
            yield batch(start * 10, 10, 4 * MIB)
        raise ValueError("the source breaks off")

    with pytest.raises(ValueError, match="the source breaks off"):
        table.append(pa.RecordBatchReader.from_batches(SCHEMA, rows()))
    assert not list(Path(table.uri).rglob("*.parquet"))
    assert numbers(table) == []


def test_a_write_without_rows_records_its_transaction(table: LakeTable) -> None:
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, []), Applied("batch", 7))
    assert table.applied_version("batch") == 7


def test_a_lake_at_a_url_takes_rows_of_any_width(tmp_path: Path) -> None:
    table = LakeTable(f"file://{tmp_path}/raw", SCHEMA, ("event_date",))
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, [batch(0, 10, 100_000)]))
    table.append(pa.RecordBatchReader.from_batches(SCHEMA, [batch(10, 10, 100_000, TUESDAY)]))
    assert numbers(table) == list(range(20))
    assert {group.event_date for group in row_groups(table, [MONDAY, TUESDAY])} == {MONDAY, TUESDAY}
