"""Rebuilds days on DuckDB and on Spark: seconds of each, and whether all rows are equal.

    make bench-scale SCALE_ARGS="--records 1000000 10000000 [--fuzzed] [--skewed]"

Spark runs in this process with as many tasks at a time as there are cores, or where
PYSPARK_SUBMIT_ARGS says. The first rebuild on Spark starts its session and workers; the second one
is what counts. With `--skewed`, 60 % of the records are of one account. Exits with 1 if a row of
cleaned or quarantine differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa

from bench.figures import Figure
from bench.scale.fuzzed_raw import land
from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract
from social_assets.demo.samples.bench_records import write_bench_records
from social_assets.lake.lake import Lake
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.spark.rebuild import rebuild_on_spark
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import land_files
from social_assets.transform.duckdb_engine import DuckDBEngine

_DAYS = 14
_END = date(2026, 11, 14)
_IN_ORDER = [(name, "ascending") for name in ("batch_id", "partition", "offset")]


def main() -> int:
    """Print the figures; 1 if rows differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--fuzzed", action="store_true", help="records with faults of every kind")
    parser.add_argument("--skewed", action="store_true", help="60 % of one account")
    options = parser.parse_args()
    same = True
    for records in options.records:
        with tempfile.TemporaryDirectory(prefix="spark-rebuild-") as folder:
            stores = _stores(Path(folder))
            if options.fuzzed:
                land(stores, records, batch_rows=100_000)
            else:
                _land(stores, Path(folder) / "events.ndjson", records, skewed=options.skewed)
            figures, equal = _compared(stores, records)
            for figure in figures:
                print(figure.line())
            print(f"all rows of cleaned and quarantine are equal: {equal}", flush=True)
            same = same and equal
    return 0 if same else 1


def _stores(folder: Path) -> StreamStores:
    lake = Lake(str(folder / "lake"), folder / "locks")
    engine = DuckDBEngine(folder / "spill", queries=folder / "queries")
    return Stores(lake, engine, ClickHouseResource()).of(contract("engagement_events"))


def _land(stores: StreamStores, path: Path, records: int, *, skewed: bool) -> None:
    """Land records; each tenth is there twice, and each hundredth has a value that is refused."""
    write_bench_records(path, records, end=_END, days=_DAYS)
    dirty = path.with_name("dirty.ndjson")
    with path.open() as clean, dirty.open("w") as out:
        for number, line in enumerate(clean):
            record = json.loads(line)
            if skewed and number % 5 < 3:
                record["account_id"] = "one"
            if number % 100 == 0:
                record["value"] = "many"
            text = json.dumps(record) + "\n"
            out.write(text + (text if number % 10 == 0 else ""))
    path.unlink()
    land_files(stores, [dirty])
    dirty.unlink()


def _compared(stores: StreamStores, records: int) -> tuple[list[Figure], bool]:
    days = sorted(stores.raw.rows_by_day())
    on_duckdb = _seconds(rebuild_days, stores, days)
    expected = _tables(stores)
    first = _seconds(rebuild_on_spark, stores, days)
    again = _seconds(rebuild_on_spark, stores, days)
    equal = all(a.equals(b) for a, b in zip(expected, _tables(stores), strict=True))
    name = f"{records:,} records"
    return [
        Figure(name, "DuckDB, one process", on_duckdb, "s"),
        Figure(name, "Spark, with its start", first, "s"),
        Figure(name, "Spark, again", again, "s"),
    ], equal


def _seconds(
    rebuild: Callable[[StreamStores, Sequence[date]], None],
    stores: StreamStores,
    days: Sequence[date],
) -> float:
    begun = time.perf_counter()
    rebuild(stores, days)
    return time.perf_counter() - begun


def _tables(stores: StreamStores) -> list[pa.Table]:
    return [table.read().sort_by(_IN_ORDER) for table in (stores.cleaned, stores.quarantine)]


if __name__ == "__main__":
    sys.exit(main())
