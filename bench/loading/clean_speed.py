"""Measures the step from raw to cleaned and quarantine, Delta to Delta.

    python -m bench.loading.clean_speed

Cleans a million JSON records of 500 bytes over 14 days several times, and reports the median.
Compare CPU seconds, and not wall time, if the machine has other work.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import write_bench_records
from social_assets.lake.lake import Lake
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import land_files
from social_assets.transform.duckdb_engine import DuckDBEngine

TARGET = 300_000
"""Records a second, on 2 cores."""


def main() -> int:
    """Print the table; returns 0 if the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clean_speed") as folder:
        stores = _landed(Path(folder), options.records, options.days)
        measured = [_measure(stores) for _ in range(options.runs)]
    seconds = statistics.median(s for s, _ in measured)
    cpu_seconds = statistics.median(c for _, c in measured)
    rate = options.records / seconds
    print(
        f"{'records':>10} {'days':>5} {'seconds':>8} {'CPU s':>6} {'records/s':>10} {'target':>10}"
    )
    print(
        f"{options.records:>10,} {options.days:>5} {seconds:>8.2f} {cpu_seconds:>6.2f} "
        f"{rate:>10,.0f} {TARGET:>10,}  {'met' if rate >= TARGET else 'MISSED'}"
    )
    return 0 if rate >= TARGET else 1


def _landed(folder: Path, records: int, days: int) -> StreamStores:
    path = folder / "events.ndjson"
    write_bench_records(path, records, end=date(2026, 11, 14), days=days)
    lake = Lake(str(folder / "lake"), folder / "locks")
    stores = Stores(lake, DuckDBEngine(folder / "spill"), ClickHouseResource())
    stream = stores.of(contract("engagement_events"))
    land_files(stream, [path])
    path.unlink()
    return stream


def _measure(stores: StreamStores) -> tuple[float, float]:
    started, cpu_started = time.perf_counter(), time.process_time()
    rebuild_days(stores, sorted(stores.raw.rows_by_day()))
    return time.perf_counter() - started, time.process_time() - cpu_started


if __name__ == "__main__":
    sys.exit(main())
