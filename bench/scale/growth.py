"""Rebuilds more and more records on DuckDB and on Spark: seconds, memory, and how they grow.

    PYTHONPATH=.venv-spark python -m bench.scale.growth [--records 1000000 10000000 30000000]
        [--engines DuckDB Spark]

Each engine works in a process of its own, whose memory is that of all its children too. Spark runs
on this machine with as many tasks at a time as there are cores; its start is a line of its own. An
exponent of 1 is linear growth. Exits with 1 if a row of cleaned or quarantine differs.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from bench.figures import Figure
from bench.processes import GIB, ProcessWatch
from bench.scale.generated_raw import days, land_generated, stores_in
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from resources.spark.session import spark_session
from social_assets.pipeline.clean import rebuild_days
from social_assets.pipeline.spark.rebuild import rebuild_on_spark
from social_assets.pipeline.stores import StreamStores

_ENGINES = ("DuckDB", "Spark")
_ROW = [("batch_id", "ascending"), ("partition", "ascending"), ("offset", "ascending")]


@dataclass(frozen=True)
class _Rebuild:
    """One rebuild: seconds before it, its own, CPU seconds of all, and the peak in bytes."""

    start: float
    seconds: float
    cpu: float
    peak: int


def main() -> int:
    """Print the figures; 1 if rows differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=[10**6, 10**7, 3 * 10**7])
    parser.add_argument("--engines", nargs="+", choices=_ENGINES, default=_ENGINES)
    parser.add_argument("--rebuild", choices=_ENGINES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rebuild:
        _rebuild(options.rebuild)
        return 0
    same = True
    found: dict[int, dict[str, _Rebuild]] = {}
    for records in sorted(options.records):
        with tempfile.TemporaryDirectory(prefix="growth-") as name:
            folder = Path(name)
            land_generated(stores_in(folder), records)
            found[records], equal = _compared(folder, options.engines)
        for figure in _figures(records, found[records]):
            print(figure.line())
        if len(options.engines) > 1:
            print(f"all rows of cleaned and quarantine are equal: {equal}")
        same = same and equal
        sys.stdout.flush()
    for figure in _growth(found):
        print(figure.line())
    return 0 if same else 1


def _compared(folder: Path, engines: Sequence[str]) -> tuple[dict[str, _Rebuild], bool]:
    """The rebuild of each engine, and whether both have made the same rows, day by day."""
    stores = stores_in(folder)
    found, files = {}, []
    for engine in engines:
        found[engine] = _measured(folder, engine)
        files.append(list(_files_by_day(stores)))
    return found, all(
        _rows(first).equals(_rows(second))
        for first, second in zip(files[0], files[-1], strict=True)
    )


def _files_by_day(stores: StreamStores) -> Iterator[list[str]]:
    """The files of each day of cleaned and quarantine. They stay until maintenance."""
    for day in days():
        for table in (stores.cleaned, stores.quarantine):
            yield table.files([day])


def _rows(files: list[str]) -> pa.Table:
    return ds.dataset(files).to_table().sort_by(_ROW).combine_chunks()


def _measured(folder: Path, engine: str) -> _Rebuild:
    """Rebuild in a process of its own, which prints the seconds before and of the rebuild."""
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(folder)}
    command = [sys.executable, "-m", "bench.scale.growth", "--rebuild", engine]
    with ProcessWatch(Home(folder)) as watch:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    start, seconds = map(float, done.stdout.split()[-2:])
    cpu = sum(usage.cpu_seconds for usage in watch.usage().values())
    return _Rebuild(start, seconds, cpu, watch.peaks(watch.roles())[1])


def _rebuild(engine: str) -> None:
    stores = stores_in(Home.from_environment().path)
    begun = time.perf_counter()
    if engine == "Spark":
        spark_session().range(1).count()
    started = time.perf_counter()
    landed = sorted(stores.raw.rows_by_day())
    (rebuild_on_spark if engine == "Spark" else rebuild_days)(stores, landed)
    print(started - begun, time.perf_counter() - started)


def _figures(records: int, found: Mapping[str, _Rebuild]) -> Iterator[Figure]:
    for engine, rebuild in found.items():
        case = f"{records:,} on {engine}"
        yield Figure(case, "rebuild", rebuild.seconds, "s")
        if rebuild.start > 1:
            yield Figure(case, "start of the session before it", rebuild.start, "s")
        yield Figure(case, "a million records", rebuild.seconds / records * 1e6, "s")
        yield Figure(case, "CPU of all processes", rebuild.cpu, "s")
        yield Figure(case, "peak of anonymous memory", rebuild.peak / GIB, "GiB")


def _growth(found: Mapping[int, Mapping[str, _Rebuild]]) -> Iterator[Figure]:
    for fewer, more in pairwise(found):
        for engine in found[more]:
            grown = found[more][engine].seconds / found[fewer][engine].seconds
            exponent = math.log(grown) / math.log(more / fewer)
            yield Figure(engine, f"exponent from {fewer:,} to {more:,}", exponent, "")


if __name__ == "__main__":
    sys.exit(main())
