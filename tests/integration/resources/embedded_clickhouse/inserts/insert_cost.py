"""What the HTTP server adds to an insert: `insert_arrow` through it, and the same bytes in process.

Not a test: it prints figures, which `docs/embedded_clickhouse.md` records. Run it alone on the
machine:

    python -m tests.integration.resources.embedded_clickhouse.inserts.insert_cost

The table has two levels of materialized views behind it and keeps deduplication tokens, as the
tables of streams do.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.query import arrow_buffer

from resources.clickhouse.resource import connect
from resources.embedded_clickhouse.lifecycle import ensure_running, running_state, stop
from resources.embedded_clickhouse.options import Options
from resources.embedded_clickhouse.query.engine import Connection, Engine, quote
from resources.embedded_clickhouse.query.engine_config import write_engine_config
from resources.settings.home import Home

_SCHEMA = (
    "CREATE DATABASE cost",
    "CREATE TABLE cost.events (event_id UInt64, user_id UInt64, event_time DateTime64(6, 'UTC'),"
    " event_date Date, metric LowCardinality(String), value Float64, tags Array(String),"
    " batch_id String) ENGINE = MergeTree PARTITION BY event_date ORDER BY event_id"
    " SETTINGS non_replicated_deduplication_window = 1000",
    "CREATE TABLE cost.fact (event_key FixedString(16), user_key FixedString(16), event_date Date,"
    " event_hour DateTime('UTC'), metric LowCardinality(String), value Float64)"
    " ENGINE = MergeTree PARTITION BY event_date ORDER BY event_key"
    " SETTINGS non_replicated_deduplication_window = 1000",
    "CREATE TABLE cost.hourly (event_hour DateTime('UTC'), metric LowCardinality(String),"
    " events UInt64, value Float64) ENGINE = SummingMergeTree ORDER BY (event_hour, metric)"
    " SETTINGS non_replicated_deduplication_window = 1000",
    "CREATE MATERIALIZED VIEW cost.to_fact TO cost.fact AS SELECT MD5(toString(event_id)) AS"
    " event_key, MD5(toString(user_id)) AS user_key, event_date,"
    " toStartOfHour(event_time) AS event_hour, metric, value FROM cost.events",
    "CREATE MATERIALIZED VIEW cost.to_hourly TO cost.hourly AS SELECT event_hour, metric,"
    " count() AS events, sum(value) AS value FROM cost.fact GROUP BY event_hour, metric",
    # Otherwise merges count for the way that runs at that time.
    "SYSTEM STOP MERGES",
)
_SETTINGS = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "insert_deduplicate": 1,
    "max_insert_block_size": 1_000_000,
    "max_partitions_per_insert_block": 0,
}
_METRICS = ("like", "comment", "share", "view", "click")


@dataclass(frozen=True)
class Way:
    """A way to insert rows with their token, and the process of the server if it is another one."""

    name: str
    insert: Callable[[pa.Table, str], None]
    server_pid: int | None


@dataclass(frozen=True)
class Cost:
    """Cost of one insert: wall seconds, and CPU seconds of all processes involved."""

    wall: float
    cpu: float


def events(rows: int, first_id: int) -> pa.Table:
    """`rows` events of one day, ids from `first_id` on."""
    random = np.random.default_rng(first_id)
    start = np.datetime64("2026-01-05T00:00:00", "us")
    return pa.table(
        {
            "event_id": np.arange(first_id, first_id + rows, dtype=np.uint64),
            "user_id": random.integers(1, 100_000, rows, dtype=np.uint64),
            "event_time": pa.array(
                start + random.integers(0, 86_400_000_000, rows).astype("timedelta64[us]"),
                pa.timestamp("us", "UTC"),
            ),
            "event_date": pa.array(np.full(rows, np.datetime64("2026-01-05", "D"))),
            "metric": pa.array(random.choice(_METRICS, rows)),
            "value": random.random(rows),
            "tags": pa.array([["a", "bb"]] * rows, pa.list_(pa.string())),
            "batch_id": pa.array([f"batch-{first_id}"] * rows),
        }
    )


def through_http(client: Client) -> Callable[[pa.Table, str], None]:
    """Insert like the loader."""

    def insert(rows: pa.Table, token: str) -> None:
        settings = {**_SETTINGS, "insert_deduplication_token": token}
        client.insert_arrow("cost.events", rows, settings=settings)

    return insert


def in_process(connection: Connection) -> Callable[[pa.Table, str], None]:
    """Insert the same bytes with the same settings on an open connection of chDB."""

    def insert(rows: pa.Table, token: str) -> None:
        names, data = arrow_buffer(rows, "lz4")
        settings = ", ".join(f"{name} = {value}" for name, value in _SETTINGS.items())
        with os.fdopen(os.memfd_create("rows"), "wb", buffering=0) as file:
            file.write(pa.py_buffer(data))
            connection.run(
                f"INSERT INTO cost.events ({', '.join(names)}) "
                f"FROM INFILE '/dev/fd/{file.fileno()}' COMPRESSION 'none' SETTINGS {settings}, "
                f"insert_deduplication_token = {quote(token)} FORMAT Arrow"
            )

    return insert


def measure(ways: list[Way], rows: int, repeats: int, pause: float) -> None:
    """Insert `repeats` tables of `rows` in each way in turn, after two without measurement."""
    costs: dict[str, list[Cost]] = {way.name: [] for way in ways}
    for number in range(repeats + 2):
        table = events(rows, (number + 1) * 10_000_000 + rows)
        for way in ways:
            time.sleep(pause)
            cpu, wall = _cpu(way.server_pid), time.perf_counter()
            way.insert(table, f"{rows}:{number}")
            cost = Cost(time.perf_counter() - wall, _cpu(way.server_pid) - cpu)
            costs[way.name].append(cost)
    for name, found in costs.items():
        _report(name, rows, found[2:])


def _cpu(server_pid: int | None) -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = own.ru_utime + own.ru_stime
    if server_pid is not None:
        # The kernel's clock of that process's CPU time, in nanoseconds, ended threads included.
        seconds += time.clock_gettime((~server_pid << 3) | 2)
    return seconds


def _report(way: str, rows: int, costs: list[Cost]) -> None:
    """One line. A busy machine affects the first fifth least."""
    walls = sorted(cost.wall * 1e3 for cost in costs)
    cpu = statistics.median(cost.cpu * 1e3 for cost in costs)
    sys.stdout.write(
        f"{rows:>7} rows  {way:<10}  p20 {walls[len(walls) // 5]:8.2f}"
        f"  p50 {statistics.median(walls):8.2f}  p95 {walls[int(len(walls) * 0.95)]:8.2f} ms"
        f"  CPU {cpu:8.2f} ms\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Measure both ways in turn, so that both meet the same load of the machine."""
    parser = argparse.ArgumentParser(prog="insert_cost")
    parser.add_argument("--repeats", type=int, default=150)
    parser.add_argument("--large-repeats", type=int, default=12)
    parser.add_argument("--pause", type=float, default=0.01, help="seconds between inserts")
    given = parser.parse_args()
    os.environ["SOCIAL_ASSETS_CLICKHOUSE_IDLE_SECONDS"] = "0"
    with tempfile.TemporaryDirectory(prefix="insert-cost-") as folder, ExitStack() as held:
        ways = [_open_in_process(Path(folder), held), _open_http(Home(Path(folder) / "home"), held)]
        for rows, repeats in (
            (500, given.repeats),
            (5_000, given.repeats),
            (250_000, given.large_repeats),
        ):
            measure(ways, rows, repeats, given.pause)


def _open_in_process(folder: Path, held: ExitStack) -> Way:
    config = folder / "engine.xml"
    write_engine_config(config, "unused", 0)
    engine = Engine(folder / "in_process", Options(), config)
    held.callback(engine.close)
    connection = engine.connect()
    held.callback(connection.close)
    for statement in _SCHEMA:
        connection.run(statement)
    return Way("in process", in_process(connection), None)


def _open_http(home: Home, held: ExitStack) -> Way:
    client = connect(ensure_running(home))
    held.callback(stop, home)
    held.callback(client.close)
    for statement in _SCHEMA:
        client.command(statement)
    state = running_state(home)
    assert state is not None
    return Way("http", through_http(client), state.pid)


if __name__ == "__main__":
    main()
