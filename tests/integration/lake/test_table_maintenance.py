"""Maintenance compacts files and deletes expired days; all other rows stay the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from social_assets.lake import maintenance
from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.ledger import LEDGER, Entry, Ledger
from social_assets.lake.schemas import RAW
from tests.lake_of_tests import folder_of, lake_root_in

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
OFFSETS = "kafka/events/id/0"
MOMENTS = 8


@pytest.fixture
def raw(tmp_path: Path) -> LakeTable:
    return LakeTable(f"{lake_root_in(tmp_path)}/raw", RAW, ("event_date",))


def append(table: LakeTable, number: int, day: date = MONDAY, rows: int = 5) -> None:
    """Land a micro-batch like a drain, with its end offset."""
    arrived = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=number)
    record = {"value": b"{}", "source": "kafka", "origin": "events", "partition": 0}
    record |= {"timestamp": arrived, "ingested_at": arrived, "batch_id": "b", "event_date": day}
    batch = [{**record, "offset": number * rows + n} for n in range(rows)]
    table.append(pa.Table.from_pylist(batch, RAW), Applied(OFFSETS, (number + 1) * rows))


def contents(table: LakeTable) -> list[tuple[object, ...]]:
    rows = table.read().sort_by([("event_date", "ascending"), ("offset", "ascending")])
    return [tuple(map(str, row.values())) for row in rows.to_pylist()]


def test_a_removal_that_was_killed_is_ended_by_the_next_one(raw: LakeTable) -> None:
    append(raw, 0)
    (folder_of(raw.uri) / "_delta_log" / f"{0:020}.json").unlink()
    raw.remove()
    assert not folder_of(raw.uri).exists()
    raw.remove()


def age(table: LakeTable, by: timedelta) -> None:
    """Make data files and log older, so that the test does not have to wait."""
    then = time.time() - by.total_seconds()
    for path in folder_of(table.uri).rglob("*"):
        os.utime(path, (then, then))


def test_small_files_of_a_day_become_one_and_the_rows_stay(raw: LakeTable) -> None:
    for number in range(60):
        append(raw, number)
    append(raw, 60, TUESDAY)
    before = contents(raw)
    assert maintenance.compact_briefly([raw], {MONDAY, TUESDAY}) == 60
    assert len(raw.files([MONDAY])) == 1
    assert len(raw.files([TUESDAY])) == 1
    assert contents(raw) == before


def test_a_few_small_files_are_left_to_the_night(raw: LakeTable) -> None:
    for number in range(maintenance.SMALL_FILES - 1):
        append(raw, number)
    assert maintenance.compact_briefly([raw], {MONDAY}) == 0
    assert maintenance.maintain(raw).files_after == 1


def test_when_the_time_is_up_no_compaction_begins(raw: LakeTable) -> None:
    for number in range(maintenance.SMALL_FILES):
        append(raw, number)
    assert maintenance.compact_briefly([raw], {MONDAY}, seconds=-1.0) == 0


def test_only_the_days_touched_are_compacted(raw: LakeTable) -> None:
    for number in range(maintenance.SMALL_FILES):
        append(raw, number, MONDAY)
    assert maintenance.compact_briefly([raw], {TUESDAY}) == 0


def test_offsets_outlast_compaction_vacuum_checkpoint_and_a_log_cut_short(
    raw: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the offsets a drain would read the whole topic again."""
    for number in range(12):
        append(raw, number)
    monkeypatch.setattr(maintenance, "GIVEN_UP_KEPT_HOURS", 0)
    none_kept = dict.fromkeys(maintenance.PROPERTIES, "interval 0 hours")
    monkeypatch.setattr(maintenance, "PROPERTIES", none_kept)
    freed = maintenance.maintain(raw)
    assert freed.log_files_deleted >= 12
    assert not list((folder_of(raw.uri) / "_delta_log").glob("*00000.json"))
    assert raw.applied_version(OFFSETS) == 60
    append(raw, 12)
    assert raw.applied_version(OFFSETS) == 65
    assert raw.rows_by_day() == {MONDAY: 65}


def test_files_given_up_stay_as_long_as_a_query_may_take(raw: LakeTable) -> None:
    for number in range(60):
        append(raw, number)
    listed = raw.files()
    freed = maintenance.maintain(raw)
    assert (freed.files_before, freed.files_after, freed.files_deleted) == (60, 1, 0)
    assert all(folder_of(unquote(path)).exists() for path in listed)


def test_files_given_up_long_ago_are_deleted_and_counted(
    raw: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        append(raw, number)
    size = sum(folder_of(path).stat().st_size for path in raw.files())
    monkeypatch.setattr(maintenance, "GIVEN_UP_KEPT_HOURS", 0)
    before = contents(raw)
    freed = maintenance.maintain(raw)
    assert (freed.files_deleted, freed.bytes_freed) == (60, size)
    assert len(list(folder_of(raw.uri).rglob("*.parquet"))) == 2  # the data, and the checkpoint
    assert contents(raw) == before


def test_a_file_that_no_commit_names_is_deleted_once_it_is_old(raw: LakeTable) -> None:
    append(raw, 0)
    orphan = folder_of(raw.uri) / "event_date=2026-03-02" / "part-killed.parquet"
    orphan.write_bytes(b"half a file")
    maintenance.maintain(raw)
    assert orphan.exists()
    age(raw, timedelta(hours=3))
    assert maintenance.maintain(raw).bytes_freed == len(b"half a file")
    assert not orphan.exists()
    assert raw.rows_by_day() == {MONDAY: 5}


def test_days_beyond_their_time_go_and_others_stay(raw: LakeTable) -> None:
    append(raw, 0, MONDAY)
    append(raw, 1, TUESDAY)
    freed = maintenance.maintain(raw, {MONDAY, date(2020, 1, 1)})
    assert freed.rows_removed == 5
    assert raw.rows_by_day() == {TUESDAY: 5}
    assert raw.applied_version(OFFSETS) == 10


def test_a_table_without_days_is_compacted_as_a_whole(tmp_path: Path) -> None:
    ledger = Ledger(LakeTable(str(tmp_path / "batches"), LEDGER, ("hop",)))
    for number in range(20):
        ledger.record("raw", [Entry(f"b{number}", MONDAY, "events", 1)])
    before = ledger.entries("raw")
    assert maintenance.maintain(ledger.table).files_after == 1
    assert ledger.entries("raw") == before


def test_a_table_that_is_not_there_is_no_work(raw: LakeTable) -> None:
    assert maintenance.maintain(raw) == maintenance.Freed()
    assert maintenance.compact_briefly([raw], {MONDAY}) == 0
    assert not folder_of(raw.uri).exists()


@pytest.mark.endurance
def test_killed_at_any_moment_the_table_is_whole_and_the_next_call_ends_the_work(
    raw: LakeTable,
) -> None:
    for number in range(150):
        append(raw, number)
    before = contents(raw)
    undisturbed = _maintain_in_a_process(raw.uri, kill_after=None)
    moments = random.Random(2026)  # noqa: S311 - which moments, not secrets
    killed = 0
    for number in range(MOMENTS):
        for more in range(60):
            append(raw, 150 + number * 60 + more, TUESDAY)
        killed += _maintain_in_a_process(raw.uri, moments.random() * undisturbed) < 0
        assert [row for row in contents(raw) if row[-1] == "2026-03-02"] == before
        assert raw.rows_by_day() == {MONDAY: 750, TUESDAY: 300 * (number + 1)}
        assert raw.applied_version(OFFSETS) == (150 + 60 * (number + 1)) * 5
    assert killed
    assert maintenance.maintain(raw).files_after == 2
    assert DeltaTable(raw.uri).to_pyarrow_dataset().count_rows() == 750 + 300 * MOMENTS


def _maintain_in_a_process(uri: str, kill_after: float | None) -> float:
    """Seconds of the work, or a negative value if it was killed."""
    program = (
        "import sys, time\n"
        "from social_assets.lake.delta import LakeTable\n"
        "from social_assets.lake.maintenance import maintain\n"
        "from social_assets.lake.schemas import RAW\n"
        "print(flush=True)\n"
        "maintain(LakeTable(sys.argv[1], RAW, ('event_date',)))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, uri], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        if kill_after is not None:
            try:
                process.wait(kill_after)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        code = process.wait()
        assert code in (0, -signal.SIGKILL)
        return time.monotonic() - started if code == 0 else code
