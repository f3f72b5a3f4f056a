"""Kills processes while events arrive; no event may be lost or doubled.

    python -m bench.faults.under_load --rounds 100

A producer sends events and counts them. In each round, at a seeded random moment, the drain, the
embedded ClickHouse or Kafka is killed with SIGKILL, or Kafka is stopped; then the process is
started again. At the end the topic is drained, every table is compared with the producer's counts,
and every invariant is compared.

`--backfill` rebuilds the stream's days during the rounds, from cleaned to rollups; the backfill is
killed too, and repeated at the end. With `--daemon`, Dagster's daemon and sensors request the
drains, and the daemon is killed too. Without it, drains are forked from a process with all imports
done, so that a round is short.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from dagster import RunsFilter

from bench.faults.drains import (
    STREAM,
    DaemonDrains,
    Drains,
    Forked,
    backfill,
    drain_all,
    stores,
)
from bench.faults.producer import Sent
from bench.live_platform import temporary_home
from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import running_state
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.changed_days import fed_by
from social_assets.defs.maintenance.rebuild_jobs import REBUILD
from social_assets.defs.warehouse.speed_checks import difference
from social_assets.operate.runs.cli_run_lock import is_a_run_marked
from social_assets.operate.runs.instance import open_instance
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import invariants_of_stream
from social_assets.warehouse.dbt.tables import Warehouse

_MOMENT_SECONDS = 2.5
"""The latest moment of a fault after the start of a drain: recovery, and some micro-batches."""


@dataclass(frozen=True)
class Platform:
    """A home with a deployed warehouse, and the home of its Kafka. `jars` is the folder of
    Kafka's jars; None for the folder in that home.
    """

    home: Home
    kafka_home: Home
    jars: Path | None = None

    def start_kafka(self) -> str:
        """Start Kafka unless it runs; returns its address."""
        return kafka_broker.start(self.kafka_home, self.jars, timeout=120)


@dataclass
class Outcome:
    """The faults, the producer's counts, and the differences, of which there must be none.

    `left_by_backfills` are the differences before the killed backfill was repeated.
    """

    seed: int
    rounds: Counter[str] = field(default_factory=Counter)
    died_of_it: int = 0
    seconds: float = 0.0
    sent: Sent | None = None
    backfills: Counter[str] = field(default_factory=Counter)
    left_by_backfills: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def run_rounds(
    platform: Platform,
    rounds: int,
    seed: int,
    rate: int,
    *,
    is_daemon: bool = False,
    is_backfilled: bool = False,
) -> Outcome:
    """Run the rounds on the platform that the environment names; does not stop the platform."""
    started = time.monotonic()
    outcome = Outcome(seed)
    chance = random.Random(seed)  # noqa: S311 - which moments, no secret
    servers = platform.start_kafka()
    KafkaResource().create_topic(contract(STREAM).kafka_topic, 3)
    drains = DaemonDrains(platform.home) if is_daemon else Forked("drain")
    backfills = Forked("backfill") if is_backfilled else None
    faults = [
        *FAULTS,
        *([KILL_DAEMON] if is_daemon else []),
        *([KILL_BACKFILL] if backfills else []),
    ]
    with drains, backfills or nullcontext(), producing(servers, rate, seed) as stop_producing:
        for _ in range(rounds):
            drains.ensure_running()
            if backfills:
                backfills.ensure_running()
            (fault,) = chance.choices(faults, weights=[each.weight for each in faults])
            if fault is KILL_BACKFILL:
                _await_backfill(platform.home, backfills)
            time.sleep(chance.random() * fault.moment_seconds)
            outcome.rounds[fault.name] += 1
            fault.happen(platform, drains, backfills)
            outcome.died_of_it += not drains.is_running()
        outcome.sent = stop_producing()
        drains.end()
        if backfills:
            backfills.kill()
    drain_all()
    if is_backfilled:
        outcome.left_by_backfills = differences(platform.home, outcome.sent)
        backfill()
        with open_instance(platform.home) as instance:
            runs = instance.get_runs(RunsFilter(job_name=REBUILD))
        outcome.backfills = Counter(run.status.value for run in runs)
    outcome.wrong = differences(platform.home, outcome.sent)
    outcome.seconds = time.monotonic() - started
    return outcome


def differences(home: Home, sent: Sent) -> list[str]:
    """The differences of lake, warehouse, facts and rollups from the producer's counts."""
    stream = stores()
    quarantine = stream.quarantine
    found = {
        "records in raw": (sum(stream.raw.rows_by_day().values()), sent.records),
        "rejected": (sum(quarantine.rows_by_day(verdict="rejected").values()), sent.bad),
        "duplicates": (sum(quarantine.rows_by_day(verdict="duplicate").values()), sent.duplicates),
        "cleaned": (_by_name(stream.cleaned.rows_by_day()), sent.events),
        "lost ranges": (stream.gaps.all(), []),
    }
    with ClickHouseResource().client() as client:

        def by_day(query: str) -> dict[str, int]:
            rows = client.query(f"SELECT toString(event_date), {query} GROUP BY 1").result_rows
            return {day: int(number) for day, number in rows}

        for table in ("cleaned.engagement_events", "star.fact_engagement"):
            found[f"rows of {table}"] = (by_day(f"count() FROM {table}"), sent.events)
            found[f"values of {table}"] = (by_day(f"sum(value) FROM {table}"), sent.values)
        rollup = "rollups.engagement_hourly"
        found[f"events of {rollup}"] = (by_day(f"sum(events) FROM {rollup}"), sent.events)
        found[f"values of {rollup}"] = (by_day(f"sum(value_sum) FROM {rollup}"), sent.values)
        wrong = [
            f"{name}: {ours} for {theirs}"
            for name, (ours, theirs) in found.items()
            if ours != theirs
        ]
        project, behind = Warehouse.of(home), set(fed_by(STREAM))
        tables = [*project.tables("star"), *project.tables("rollups")]
        results = [difference(client, table, None) for table in tables if table.asset in behind]
        wrong += [f"{v.asset_key}: {v.description}" for v in results if not v.passed]
    for invariant in invariants_of_stream(STREAM):
        broken = [each for each in compare_days(invariant, stream.stores, None) if not each.passed]
        wrong += [f"{invariant.name} on {each.day}: {each.description}" for each in broken]
    return wrong


def _by_name(rows: object) -> dict[str, int]:
    return {day.isoformat(): n for day, n in rows.items() if n}  # type: ignore[attr-defined]


@contextmanager
def producing(servers: str, rate: int, seed: int) -> Iterator[Callable[[], Sent]]:
    """Start a producer; the returned function stops it and returns its counts."""
    command = [sys.executable, "-m", "bench.faults.producer", servers, contract(STREAM).kafka_topic]
    process = subprocess.Popen(
        [*command, "--rate", str(rate), "--seed", str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def stop() -> Sent:
        said, _ = process.communicate(timeout=900)
        return Sent(**json.loads(said))

    try:
        yield stop
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Fault:
    """A possible fault of a round. `weight`: its share of 20 rounds; `moment_seconds`: the
    latest moment after the work has begun.
    """

    name: str
    weight: int
    happen: Callable[[Platform, Drains, Forked | None], None]
    moment_seconds: float = _MOMENT_SECONDS


def _kill_drain(_: Platform, drains: Drains, __: Forked | None) -> None:
    drains.kill()


def _kill_clickhouse(platform: Platform, drains: Drains, _: Forked | None) -> None:
    state = running_state(platform.home)
    if state is not None:
        os.kill(state.pid, signal.SIGKILL)
    # The drain fails at its next insert; the next process that needs the server starts it.
    drains.end(patience_seconds=10)


def _kill_kafka(platform: Platform, _: Drains, __: Forked | None) -> None:
    pid = kafka_broker.process_id(platform.kafka_home)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    while kafka_broker.is_running(platform.kafka_home):
        time.sleep(0.01)
    platform.start_kafka()


def _stop_kafka(platform: Platform, _: Drains, __: Forked | None) -> None:
    kafka_broker.stop(platform.kafka_home)
    platform.start_kafka()


def _kill_daemon(_: Platform, drains: Drains, __: Forked | None) -> None:
    if not isinstance(drains, DaemonDrains):
        raise TypeError("nobody but Dagster's daemon is a daemon here")
    drains.kill_daemon()


def _await_backfill(home: Home, backfills: Forked | None) -> None:
    """Wait until the run of the backfill has begun; before that, it only imports code."""
    while backfills and backfills.is_running() and not is_a_run_marked(home):
        time.sleep(0.01)


def _kill_backfill(_: Platform, __: Drains, backfills: Forked | None) -> None:
    if backfills is None:
        raise TypeError("nothing is backfilled here")
    backfills.kill()


FAULTS = (
    Fault("kill the drain", 12, _kill_drain),
    Fault("kill ClickHouse", 4, _kill_clickhouse),
    Fault("kill Kafka", 2, _kill_kafka),
    Fault("stop Kafka", 2, _stop_kafka),
)
KILL_DAEMON = Fault("kill the daemon", 6, _kill_daemon)
KILL_BACKFILL = Fault("kill the backfill", 10, _kill_backfill, moment_seconds=6.0)


def report(outcome: Outcome) -> str:
    """The outcome as a table."""
    sent = outcome.sent
    assert sent is not None
    lines = [f"{name:<18}{times:>6} rounds" for name, times in sorted(outcome.rounds.items())]
    lines += [
        f"{'drains that died':<18}{outcome.died_of_it:>6}",
        *(f"{f'backfills {how}':<18}{n:>6}" for how, n in sorted(outcome.backfills.items())),
        f"seed {outcome.seed}, {outcome.seconds:.0f} s, {sent.records:,} records sent: "
        f"{sum(sent.events.values()):,} events, {sent.duplicates:,} again, {sent.bad:,} bad",
        *(f"until the backfill was run again: {each}" for each in outcome.left_by_backfills),
        *(f"WRONG: {each}" for each in outcome.wrong),
        "0 lost, 0 doubled" if not outcome.wrong else f"{len(outcome.wrong)} tables differ",
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table; returns 1 if an event was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=1500, help="records a second")
    parser.add_argument("--jars", type=Path, help="where Kafka's jars are kept; in the home else")
    parser.add_argument("--backfill", action="store_true", help="days are made anew meanwhile")
    parser.add_argument("--daemon", action="store_true", help="drains are asked for by Dagster")
    options = parser.parse_args()
    with temporary_home("stream-faults-") as home:
        platform = Platform(home, home, options.jars)
        outcome = run_rounds(
            platform,
            options.rounds,
            options.seed,
            options.rate,
            is_daemon=options.daemon,
            is_backfilled=options.backfill,
        )
    print(report(outcome))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
