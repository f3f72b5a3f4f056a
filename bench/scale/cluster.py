"""What a cluster does with so many events a day: a simulation from constants measured here.

    PYTHONPATH=.venv-spark python -m bench.scale.cluster [--events 10e9 --nodes 10 --cores 16]

Measures the CPU seconds of rebuilds on Spark on this machine, of several numbers of records, parts
and buckets. Least squares give what the session takes, what each task, each million records and
each shuffled block take. Spark's own log of tasks gives how tasks vary, what is shuffled, and the
seconds of the driver without tasks. Then the tasks of a day are given to the slots of the cluster
as Spark does it: one node is slower, and one is lost while duplicates are sought, with its shuffle.

What it does not tell: networks and stores slower than this machine's disk, and the driver's memory.
docs/spark.md says what that means.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bench.processes import ProcessWatch
from bench.scale.generated_raw import land_generated, stores_in
from resources.settings.home import ENVIRONMENT_VARIABLE, Home

_ONE_DAY = 1
_SLOWER = 1.5
"""The slow node's tasks take so much longer."""
Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class _Run:
    """A rebuild: CPU seconds of all processes, the seconds of each task of both steps, and those of
    the driver without tasks.
    """

    records: int
    cpu: float
    validate: Seconds
    write: Seconds
    driver: float
    shuffled_bytes: int

    def counts(self) -> tuple[float, ...]:
        """What the CPU seconds are spent on: the session, parts, buckets, millions, blocks."""
        parts, buckets = len(self.validate), len(self.write)
        return (1, parts, buckets, self.records / 1e6, parts * buckets)


@dataclass(frozen=True)
class _Constants:
    """CPU seconds of a session, of a task of each step, of a million records, of a block."""

    session: float
    part: float
    bucket: float
    million: float
    block: float


@dataclass(frozen=True)
class _Cluster:
    nodes: int
    cores: int

    @property
    def slots(self) -> int:
        return self.nodes * self.cores


def main() -> int:
    """Print the constants and what follows from them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=3_000_000, help="measured on")
    parser.add_argument("--events", type=float, default=10e9)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--cores", type=int, default=16)
    parser.add_argument("--rebuild", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rebuild is not None:
        _rebuild(*options.rebuild)
        return 0
    runs = [_measured(records, *sizes) for records, *sizes in _cases(options.records)]
    matrix = np.array([run.counts() for run in runs])
    found = _Constants(*nnls(matrix, np.array([run.cpu for run in runs]))[0])
    _print_constants(runs, found)
    for bucket_rows in (500_000, 5_000_000):
        for nodes in (options.nodes, 2 * options.nodes):
            cluster = _Cluster(nodes, options.cores)
            _print_day(runs[-1], found, options.events, bucket_rows, cluster)
    return 0


def _cases(records: int) -> list[tuple[int, int, int]]:
    """Records, rows a bucket and MiB a part of each rebuild; the last one is as in production."""
    half, hardly_any = records // 2, 20_000
    return [
        (hardly_any, 500_000, 128),
        (half, 500_000, 128),
        (half, 10_000, 128),
        (half, 500_000, 8),
        (half, 10_000, 8),
        (records, 500_000, 128),
    ]


def _measured(records: int, bucket_rows: int, part_mib: int) -> _Run:
    """Rebuild in a process of its own, and read Spark's log of it."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as name:
        folder = Path(name)
        land_generated(stores_in(folder), records, number_of_days=_ONE_DAY)
        return _rebuilt(folder, records, [str(bucket_rows), str(part_mib)])


def _rebuilt(folder: Path, records: int, sizes: Sequence[str]) -> _Run:
    log = folder / "log"
    log.mkdir()
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
    }
    chosen = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    environment = {
        **os.environ,
        ENVIRONMENT_VARIABLE: str(folder),
        "PYSPARK_SUBMIT_ARGS": f"{chosen} pyspark-shell",
    }
    command = [sys.executable, "-m", "bench.scale.cluster", "--rebuild", *sizes]
    with ProcessWatch(Home(folder)) as watch:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    cpu = sum(usage.cpu_seconds for usage in watch.usage().values())
    (events,) = [path for path in log.iterdir() if not path.name.startswith(".")]
    return _read(events, records, cpu, float(done.stdout.split()[-1]))


def _rebuild(bucket_rows: int, part_mib: int) -> None:
    # Imported here: the parent has no Spark.
    from resources.spark.session import spark_session
    from social_assets.pipeline.spark import run_job
    from social_assets.pipeline.spark.rebuild import rebuild_on_spark

    run_job.BUCKET_ROWS, run_job.PART_BYTES = bucket_rows, part_mib << 20
    stores = stores_in(Home.from_environment().path)
    spark_session().range(1).count()
    days = sorted(stores.raw.rows_by_day())
    begun = time.perf_counter()
    rebuild_on_spark(stores, days)
    print(time.perf_counter() - begun)


def _read(log: Path, records: int, cpu: float, seconds: float) -> _Run:
    """The tasks of the last two stages of a log."""
    tasks: dict[int, list[tuple[float, float]]] = {}
    shuffled: dict[int, int] = {}
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["Event"] != "SparkListenerTaskEnd":
            continue
        info, stage = event["Task Info"], event["Stage ID"]
        span = (info["Launch Time"] / 1000, info["Finish Time"] / 1000)
        tasks.setdefault(stage, []).append(span)
        written = event["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        shuffled[stage] = shuffled.get(stage, 0) + written
    validate, write = sorted(tasks)[-2:]
    busy = sum(
        max(end for _, end in tasks[stage]) - min(start for start, _ in tasks[stage])
        for stage in (validate, write)
    )
    return _Run(
        records,
        cpu,
        _durations(tasks[validate]),
        _durations(tasks[write]),
        seconds - busy,
        shuffled[validate],
    )


def _durations(spans: Sequence[tuple[float, float]]) -> Seconds:
    return np.array([end - start for start, end in spans])


def _print_constants(runs: Sequence[_Run], found: _Constants) -> None:
    run = runs[-1]
    for each in runs:
        _, parts, buckets, millions, _ = each.counts()
        print(f"{millions:.1f} million, {parts} parts, {buckets} buckets: {each.cpu:.1f} CPU s")
    print(f"  session     {found.session:8.2f} CPU s")
    print(f"  a million   {found.million:8.2f} CPU s")
    print(f"  a part      {found.part:8.2f} CPU s, {_of_part(run):,.0f} records")
    print(f"  a bucket    {found.bucket:8.2f} CPU s")
    print(f"  a block     {found.block * 1e3:8.2f} CPU ms")
    print(f"  driver      {run.driver:8.2f} s without tasks")
    print(f"  shuffled    {run.shuffled_bytes / run.records:8.1f} bytes a record", flush=True)


def _of_part(run: _Run) -> float:
    return run.records / len(run.validate)


def _print_day(run: _Run, each: _Constants, events: float, bucket_rows: int, of: _Cluster) -> None:
    parts, buckets = round(events / _of_part(run)), round(events / bucket_rows)
    rng = np.random.default_rng(7)
    # Both steps take about half of what a record takes.
    half = each.million / 2e6
    part = each.part + half * _of_part(run) + each.block * buckets / 2
    bucket = each.bucket + half * bucket_rows + each.block * parts / 2
    validate = part * _spread(run.validate, parts, rng)
    write = bucket * _spread(run.write, buckets, rng)
    shuffled = run.shuffled_bytes * events / run.records
    whole = _makespan(validate, of) + _makespan(write, of)
    lost = _lost_node(validate, write, of)
    driver = run.driver * events / run.records
    print(
        f"{events:,.0f} events on {of.nodes} nodes of {of.cores} cores, "
        f"{bucket_rows:,} rows a bucket: {parts:,} parts, {buckets:,} buckets, "
        f"{parts * buckets / 1e6:,.0f} million blocks of {shuffled / parts / buckets:,.0f} bytes, "
        f"{shuffled / of.nodes / 2**30:,.0f} GiB of shuffle a node\n"
        f"  tasks {whole / 60:,.0f} min; with a lost node {lost / 60:,.0f} min; the driver, if it "
        f"grows with records, {driver / 60:,.0f} min more"
    )


def _spread(measured: Seconds, number: int, rng: np.random.Generator) -> Seconds:
    """How tasks vary: the measured ones by their mean, drawn again."""
    return rng.choice(measured / measured.mean(), number)


def _makespan(tasks: Seconds, of: _Cluster, *, fewer: int = 0) -> float:
    """Give tasks to the first free slot; the first node is slower. Returns when all have ended."""
    slots = [(0.0, slot) for slot in range(of.slots - fewer * of.cores)]
    for seconds in tasks:
        free, slot = slots[0]
        slower = _SLOWER if slot < of.cores else 1.0
        heapq.heapreplace(slots, (free + float(seconds) * slower, slot))
    return max(free for free, _ in slots)


def _lost_node(validate: Seconds, write: Seconds, of: _Cluster) -> float:
    """A node is lost when half of the buckets are done: what it has shuffled is made again."""
    half = len(write) // 2
    again = validate[: -(-len(validate) // of.nodes)]
    running = write[half : half + of.cores]
    return (
        _makespan(validate, of)
        + _makespan(write[:half], of)
        + _makespan(again, of, fewer=1)
        + _makespan(np.concatenate([running, write[half:]]), of, fewer=1)
    )


if __name__ == "__main__":
    sys.exit(main())
