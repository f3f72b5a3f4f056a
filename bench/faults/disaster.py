"""Measures a first and a second backup, a restore, and a rebuild of the warehouse.

    python -m bench.faults.disaster [--events 1000000 --days 14] [--no-rebuild]

The events are loaded through all steps. Then come the commands of `docs/disaster.md`, each in a
process of its own, start and imports included. Between the backups, a hundredth of the events is
loaded. The home is removed before the restore. Several sizes of `--events` show the slope.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.figures import Figure
from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import write_bench_records
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.duckdb_engine import DuckDBEngine

FIRST_SECONDS, SECOND_SECONDS, REBUILD_SECONDS = 60.0, 5.0, 240.0
"""The targets of 10 million events."""


def main() -> int:
    """Print the figures; returns 0 if all targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--no-rebuild", dest="is_rebuilt", action="store_false")
    options = parser.parse_args()
    is_met = True
    for events in options.events:
        with tempfile.TemporaryDirectory(prefix="disaster") as folder:
            for figure in _measured(
                Path(folder), events, options.days, is_rebuilt=options.is_rebuilt
            ):
                print(figure.line(), flush=True)
                is_met = is_met and figure.is_met
    return 0 if is_met else 1


def _measured(folder: Path, events: int, days: int, *, is_rebuilt: bool) -> Iterator[Figure]:
    part = f"{events:,}"
    os.environ[ENVIRONMENT_VARIABLE] = str(folder / "home")
    home = Home.from_environment()
    target = str(folder / "backups")
    try:
        _load(home, folder / "events.ndjson", events, days)
        yield from _run(part, "first backup", FIRST_SECONDS, "backup", "--to", target)
        size = sum(each.stat().st_size for each in Path(target).rglob("*") if each.is_file())
        yield Figure(part, "size of the first backup", size / 1e6, "MB")
        _load(home, folder / "more.ndjson", max(1000, events // 100), days)
        yield from _run(part, "second backup", SECOND_SECONDS, "backup", "--to", target)
        stop(home)
        shutil.rmtree(home.path)
        yield from _run(part, "restore", None, "restore", "--from", target)
        if is_rebuilt:
            yield from _run(part, "rebuild-warehouse", REBUILD_SECONDS, "rebuild-warehouse")
    finally:
        stop(home)


def _load(home: Home, file: Path, events: int, days: int) -> None:
    write_bench_records(file, events, end=date(2026, 11, 14), days=days)
    lake = Lake(str(home.lake), home.path / "locks")
    stores = Stores(lake, DuckDBEngine(home.path / "spill"), ClickHouseResource())
    ingested = ingest_files(stores.of(contract("engagement_events")), [file])
    assert not ingested.failures, ingested.failures


def _run(part: str, name: str, target: float | None, *arguments: str) -> Iterator[Figure]:
    """The seconds of a command, and the seconds of CPU that it took with its own children."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "social_assets", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield Figure(part, name, seconds, "s", target)
    yield Figure(part, f"{name}, CPU", used, "s")


if __name__ == "__main__":
    sys.exit(main())
