"""Loads one file on DuckDB and on Spark: seconds of each, and whether all rows are equal.

    PYTHONPATH=.venv-spark python -m bench.scale.spark_load [--records 1000000]

Each tenth record is there twice. The file goes through all steps, into a lake of its own for each
engine and an empty warehouse. Spark runs in this process, as `spark_rebuild` says; the second load
on Spark is without its start. Exits with 1 if a row of cleaned or quarantine differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa

from bench.figures import Figure
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.variables import ENGINE, ENGINE_SPARK_BYTES
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import write_bench_records
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.duckdb_engine import DuckDBEngine

_DAYS = 14
_END = date(2026, 11, 14)


def main() -> int:
    """Print the figures; 1 if rows differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="spark-load-") as name:
        folder = Path(name)
        file = folder / "events.ndjson"
        write_bench_records(file, records, end=_END, days=_DAYS)
        _repeat_some(file)
        seconds, expected = _loaded(folder / "duckdb", file)
        with _spark():
            first, found = _loaded(folder / "spark", file)
            again, _ = _loaded(folder / "again", file)
    equal = found == expected
    case = f"{records:,} records, a tenth of them twice"
    for how, taken in (
        ("DuckDB, one process", seconds),
        ("Spark, with its start", first),
        ("Spark, again", again),
    ):
        print(Figure(case, how, taken, "s").line())
    print(f"all rows of cleaned and quarantine are equal: {equal}", flush=True)
    return 0 if equal else 1


def _repeat_some(file: Path) -> None:
    with file.open() as lines:
        again = [line for number, line in enumerate(lines) if number % 10 == 0]
    with file.open("a") as out:
        out.writelines(again)


@contextmanager
def _spark() -> Iterator[None]:
    os.environ |= {ENGINE: "spark", ENGINE_SPARK_BYTES: "0"}
    try:
        yield
    finally:
        del os.environ[ENGINE], os.environ[ENGINE_SPARK_BYTES]


def _loaded(folder: Path, file: Path) -> tuple[float, list[pa.Table]]:
    lake = Lake(str(folder / "lake"), folder / "locks")
    engine = DuckDBEngine(folder / "spill", queries=folder / "queries")
    stores = Stores(lake, engine, ClickHouseResource()).of(contract("engagement_events"))
    with stores.stores.clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    begun = time.perf_counter()
    done = ingest_files(stores, [file])
    taken = time.perf_counter() - begun
    if done.failures:
        raise done.failures[0]
    return taken, _tables(stores)


def _tables(stores: StreamStores) -> list[pa.Table]:
    """The rows in order, without the time of arrival, which each load has."""
    tables = (table.read() for table in (stores.cleaned, stores.quarantine))
    return [t.drop_columns("ingested_at").sort_by("offset").combine_chunks() for t in tables]


if __name__ == "__main__":
    sys.exit(main())
