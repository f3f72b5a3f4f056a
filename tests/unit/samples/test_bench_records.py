from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from social_assets.samples.bench_records import RECORD_BYTES, write_bench_records


def test_bench_records_are_distinct_valid_events_of_one_length(tmp_path: Path) -> None:
    path = tmp_path / "bench.ndjson"
    written = write_bench_records(path, 100_500, end=date(2026, 11, 20), days=3)
    lines = path.read_bytes().splitlines(keepends=True)
    assert written == path.stat().st_size == 100_500 * RECORD_BYTES
    assert {len(line) for line in lines} == {500}
    records = [json.loads(line) for line in lines]
    assert len({r["event_id"] for r in records}) == len(records)
    assert {r["event_time"][:10] for r in records} == {"2026-11-18", "2026-11-19", "2026-11-20"}
    assert [r["event_time"] for r in records] == sorted(r["event_time"] for r in records)
    assert min(r["account_id"] for r in records) > 0


def test_the_same_arguments_give_the_same_file(tmp_path: Path) -> None:
    for name in ("first", "again"):
        write_bench_records(tmp_path / name, 1_000, end=date(2026, 11, 20))
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


def test_no_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        write_bench_records(tmp_path / "none", 0, end=date(2026, 11, 20))
