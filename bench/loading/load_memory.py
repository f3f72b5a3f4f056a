"""Measures the memory that loading a file of 5 GB takes, through all steps.

    python -m bench.loading.load_memory [--days 14]

One process lands, cleans and inserts ten million records of 500 bytes into ClickHouse. The figure
is its peak resident memory. The memory of the embedded ClickHouse, another process, is a separate
figure.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.files import ServerFiles
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import RECORD_BYTES, write_bench_records
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.duckdb_engine import DuckDBEngine

TARGET_GIB = 2.0


def main() -> int:
    """Print the table; returns 0 if the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load_memory") as folder:
        os.environ[ENVIRONMENT_VARIABLE] = folder
        home = Home.from_environment()
        path = home.path / "events.ndjson"
        write_bench_records(path, options.records, end=date(2026, 11, 14), days=options.days)
        try:
            seconds, loaded = _load(home, path)
            server = _peak_gib(int(ServerFiles(home).server_lock.read_text()))
        finally:
            stop(home)
    peak = _peak_gib(os.getpid())
    size = options.records * RECORD_BYTES / 1e9
    print(
        f"{'records':>11} {'GB':>5} {'days':>5} {'seconds':>8} {'peak GiB':>9} {'ClickHouse':>11}"
    )
    print(
        f"{loaded:>11,} {size:>5.1f} {options.days:>5} {seconds:>8.0f} {peak:>9.2f} {server:>11.2f}"
        f"  target {TARGET_GIB} GiB {'met' if peak <= TARGET_GIB else 'MISSED'}"
    )
    return 0 if peak <= TARGET_GIB and loaded == options.records else 1


def _load(home: Home, path: Path) -> tuple[float, int]:
    lake = Lake(str(home.lake), home.path / "locks")
    stores = Stores(lake, DuckDBEngine(home.path / "spill"), ClickHouseResource())
    stream = stores.of(contract("engagement_events"))
    started = time.perf_counter()
    ingested = ingest_files(stream, [path])
    assert not ingested.failures, ingested.failures
    return time.perf_counter() - started, sum(stream.loader.rows_by_day().values())


def _peak_gib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kib) / 2**20


if __name__ == "__main__":
    sys.exit(main())
