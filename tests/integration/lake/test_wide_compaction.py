"""Maintenance compacts files of wide rows, and readers have enough memory for the result."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from social_assets.lake import data_files, maintenance
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.row_groups import read_parts, row_groups
from social_assets.lake.schemas import QUARANTINE

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
SCHEMA = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("content", pa.string()),
        pa.field("ingested_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("event_date", pa.date32(), nullable=False),
    ]
)
ARRIVED = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def cleaned(tmp_path: Path) -> LakeTable:
    return LakeTable(str(tmp_path / "cleaned"), SCHEMA, ("event_date",))


def append(table: LakeTable, number: int, text: str, rows: int = 10, day: date = MONDAY) -> None:
    listed = [
        {"offset": number * rows + n, "content": text, "ingested_at": ARRIVED, "event_date": day}
        for n in range(rows)
    ]
    table.append(pa.Table.from_pylist(listed, SCHEMA), Applied("batch", number + 1))


def offsets(table: LakeTable, day: date = MONDAY) -> list[int]:
    groups = row_groups(table, [day])
    parts = read_parts(table, groups, ["offset"], part_bytes=1 << 20, part_rows=100_000)
    return [offset for part in parts for offset in part["offset"].to_pylist()]


def test_a_wide_text_that_repeats_is_still_read_a_few_rows_at_a_time(cleaned: LakeTable) -> None:
    for number in range(6):
        append(cleaned, number, "x" * 200_000, rows=100)
    assert maintenance.compact(cleaned) == 6
    assert len(cleaned.files()) == 1
    groups = row_groups(cleaned, [MONDAY])
    assert sum(group.size_bytes for group in groups) > 600 * 200_000
    assert max(group.size_bytes for group in groups) < 2 * data_files.ROW_GROUP_BYTES
    assert offsets(cleaned) == list(range(600))


def test_a_wide_text_in_a_dictionary_of_an_older_file_is_read_in_parts(tmp_path: Path) -> None:
    table = LakeTable(str(tmp_path / "old"), SCHEMA, ("event_date",))
    append(table, 0, "x")
    append(table, 1, "x" * 100_000, rows=2_000)
    # Like earlier releases, which compacted rows of any width.
    DeltaTable(table.uri).optimize.compact(writer_properties=table.writer_properties())
    (group,) = row_groups(table, [MONDAY])
    assert group.size_bytes < 2_000_000
    parts = read_parts(table, [group], SCHEMA.names, part_bytes=8 << 20, part_rows=100_000)
    sizes = [part.nbytes for part in parts]
    assert sum(sizes) > 200_000_000
    assert max(sizes) < 40 << 20


def test_rows_transactions_and_history_stay(cleaned: LakeTable) -> None:
    texts = [os.urandom(5_000).hex() for _ in range(4)]
    for number, text in enumerate(texts):
        append(cleaned, number, text)
    append(cleaned, 4, texts[0], day=TUESDAY)
    before = cleaned.read().sort_by("offset")
    assert maintenance.compact(cleaned) == 4
    assert cleaned.read().sort_by("offset") == before
    assert cleaned.rows_by_day() == {MONDAY: 40, TUESDAY: 10}
    assert cleaned.latest("ingested_at") == ARRIVED
    assert cleaned.applied_version("batch") == 5
    assert maintenance.compact(cleaned) == 0
    freed = maintenance.maintain(cleaned, {MONDAY})
    assert (freed.rows_removed, cleaned.rows_by_day()) == (40, {TUESDAY: 10})


def test_rejected_and_duplicate_records_stay_apart(tmp_path: Path) -> None:
    table = LakeTable(str(tmp_path / "quarantine"), QUARANTINE, ("event_date", "verdict"))
    for number in range(4):
        row = dict.fromkeys(("source", "origin", "batch_id"), "kafka") | {
            "value": os.urandom(9_000),
            "reasons": ["invalid_json"],
            "partition": 0,
            "offset": number,
            "timestamp": ARRIVED + timedelta(seconds=number),
            "ingested_at": ARRIVED,
            "event_date": MONDAY,
            "verdict": ("rejected", "duplicate")[number % 2],
        }
        table.append(pa.Table.from_pylist([row], QUARANTINE))
    before = table.read().sort_by("offset")
    assert maintenance.compact(table) == 4
    assert len(table.files()) == 2
    assert table.read().sort_by("offset") == before
    assert table.rows_by_day(verdict="rejected") == {MONDAY: 2}
    assert maintenance.compact(table) == 0
