"""One write may have rows of more days than a process may open files."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.lake import data_files
from social_assets.lake.data_files import OPEN_FILES
from social_assets.lake.delta import LakeTable

SCHEMA = pa.schema([pa.field("number", pa.int64()), pa.field("event_date", pa.date32())])
DAYS = [date(2023, 1, 1) + timedelta(days=number) for number in range(3 * OPEN_FILES)]


@contextmanager
def open_files_at_most(more: int) -> Iterator[None]:
    """This process may open so many more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + more, hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def rows() -> pa.RecordBatchReader:
    batch = pa.table({"number": range(len(DAYS)), "event_date": DAYS}, schema=SCHEMA)
    return pa.Table.from_batches(batch.to_batches() * 2).to_reader()


def test_a_write_of_more_days_than_open_files_has_every_row(tmp_path: Path) -> None:
    table = LakeTable(str(tmp_path / "raw"), SCHEMA, ("event_date",))
    with open_files_at_most(2 * OPEN_FILES):
        table.append(rows())
        table.replace(DAYS, rows())
    assert table.rows_by_day() == dict.fromkeys(DAYS, 2)


def test_a_day_whose_file_was_closed_gets_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = LakeTable(str(tmp_path / "raw"), SCHEMA, ("event_date",))
    monkeypatch.setattr(data_files, "OPEN_FILES", 2)
    monkeypatch.setattr(data_files, "ROW_GROUP_ROWS", 1)
    table.append(rows())
    assert table.rows_by_day() == dict.fromkeys(DAYS, 2)
    assert len(table.files()) > len(DAYS)
