"""Loads and rebuilds records of many sizes within bounded memory.

    python -m bench.loading.record_sizes [--mb 1000]

A process for each size loads one day of distinct posts into a deployed warehouse and rebuilds it.
The figures are its peak resident memory in each step, and that of the embedded ClickHouse, which is
another process (`CH`). The target is for the first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import ensure_running, running_state, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.warehouse.dbt.deployment import deploy_warehouse

SIZES = (100, 1_000, 10_000, 50_000, 200_000, 1_000_000)
TARGET_GIB = 2.0
DAY = date(2026, 1, 1)


def main() -> int:
    """Print the table; returns 0 if all rows are there and the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=1_000)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return _one(options.one, options.mb)
    steps = f"{'load s':>7} {'GiB':>5} {'CH':>5} {'rebuild s':>9} {'GiB':>5} {'CH':>5}"
    print(f"{'bytes':>9} {'rows':>10} {'MB':>6} {steps}  ok")
    codes = []
    for size in options.sizes:
        command = [sys.executable, "-m", "bench.loading.record_sizes", "--one", str(size)]
        codes.append(subprocess.run([*command, "--mb", str(options.mb)], check=False).returncode)
        if codes[-1]:
            print(f"{size:>9,} FAILED, exit code {codes[-1]}", flush=True)
    return int(any(codes))


def _one(size: int, megabytes: int) -> int:
    with tempfile.TemporaryDirectory(prefix="record_sizes") as folder:
        os.environ[ENVIRONMENT_VARIABLE] = folder
        home, path = Home.from_environment(), Path(folder, "posts.ndjson")
        rows = megabytes * 1_000_000 // size
        _write(path, rows, size)
        lake = Lake(str(home.lake), home.path / "locks")
        stores = Stores(lake, DuckDBEngine(home.path / "spill"), ClickHouseResource())
        stream = stores.of(contract("posts"))
        try:
            deploy_warehouse(ensure_running(home), home)
            server = _server(home)
            _forget_peaks(server)
            started = time.perf_counter()
            failures = ingest_files(stream, [path], DAY).failures
            loaded, load_peaks = time.perf_counter(), _peaks_gib(server)
            _forget_peaks(server)
            rebuild(stream, [DAY])
            rebuilt, rebuild_peaks = time.perf_counter(), _peaks_gib(server)
            if _server(home) != server:
                raise RuntimeError("the embedded ClickHouse was started again: no peak is known")
            found = stream.loader.rows_by_day().get(DAY, 0)
        finally:
            stop(home)
    ok = not failures and found == rows and max(load_peaks[0], rebuild_peaks[0]) <= TARGET_GIB
    print(
        f"{size:>9,} {found:>10,} {rows * size / 1e6:>6,.0f} {loaded - started:>7.1f} "
        f"{load_peaks[0]:>5.2f} {load_peaks[1]:>5.2f} {rebuilt - loaded:>9.1f} "
        f"{rebuild_peaks[0]:>5.2f} {rebuild_peaks[1]:>5.2f}  {'ok' if ok else 'NO'}",
        flush=True,
    )
    return 0 if ok else 1


def _server(home: Home) -> str:
    state = running_state(home)
    if state is None:
        raise RuntimeError("the embedded ClickHouse does not run")
    return str(state.pid)


def _forget_peaks(server: str) -> None:
    """Reset Linux's peak memory of this process and of the server."""
    for process in ("self", server):
        Path("/proc", process, "clear_refs").write_text("5")


def _peaks_gib(server: str) -> tuple[float, float]:
    """The peaks of this process and of the server."""
    return _peak_gib("self"), _peak_gib(server)


def _peak_gib(process: str) -> float:
    status = Path("/proc", process, "status").read_text()
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak) / 2**20


def _write(path: Path, rows: int, size: int) -> None:
    """Write distinct texts that hardly compress."""
    random = np.random.default_rng(1)
    with path.open("w") as file:
        for number in range(rows):
            record = {"post_id": f"p{number}", "account_id": 1, "platform": "X"}
            bare = len(json.dumps({**record, "media_type": "text", "content": ""}))
            text = random.bytes(max(0, size - bare - 1) // 2 + 1).hex()[: max(0, size - bare - 1)]
            file.write(json.dumps({**record, "media_type": "text", "content": text}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
