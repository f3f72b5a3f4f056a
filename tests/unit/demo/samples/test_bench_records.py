from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest

from social_assets.demo.samples.bench_records import (
    RECORD_BYTES,
    Spread,
    bench_blocks,
    write_bench_records,
)


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


def test_lifelike_posts_have_one_account_each_and_a_few_have_most_of_the_events() -> None:
    until = datetime(2026, 11, 20, 7)
    blocks = bench_blocks(100_500, until=until, spread=Spread.LIFELIKE)
    records = [json.loads(line) for block in blocks for line in bytes(block.lines).splitlines()]
    assert {len(json.dumps(r)) for r in records} == {RECORD_BYTES - 1}
    assert records[0]["event_time"] == "2026-11-19T07:00:00Z"
    assert records[-1]["event_time"] == "2026-11-20T06:59:59Z"
    accounts, platforms = defaultdict(set), defaultdict(set)
    for record in records:
        accounts[record["post_id"]].add(record["account_id"])
        platforms[record["account_id"]].add(record["platform"])
    assert {len(found) for found in (*accounts.values(), *platforms.values())} == {1}
    posts = Counter(r["post_id"] for r in records)
    assert sum(count for _, count in posts.most_common(500)) > len(records) / 2
    metrics = Counter(r["metric_type"] for r in records)
    assert [metric for metric, _ in metrics.most_common(2)] == ["impression", "view"]
