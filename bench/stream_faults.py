"""Faults under load: `python -m bench.stream_faults --rounds 100`; 0 lost and 0 doubled is the aim.

A producer keeps sending and counting. Each round, at a seeded random moment, one of these happens:
the drain is killed (-9), the embedded ClickHouse is, Kafka is, or Kafka is stopped; what died is
then started again. At the end everything drains, and every table is held against the producer's
counts. Drains run in processes forked from one that has imported all, so that a round is short.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.fault_producer import Sent
from resources import kafka_broker
from resources.clickhouse import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import running_state
from resources.home import ENVIRONMENT_VARIABLE, Home
from resources.kafka import KafkaResource
from resources.stores import StoresResource
from social_assets.checks.speed_equals_batch import difference
from social_assets.contracts.registry import contract
from social_assets.defs.dbt_translator import Warehouse
from social_assets.defs.load_job import fed_by
from social_assets.hops.drain import Taken, drain
from social_assets.hops.stores import StreamStores
from social_assets.hops.topic_source import Limits

STREAM = "engagement_events"
_MOMENT_SECONDS = 2.5
"""Within so long after a drain began something happens to it: settling, and some micro-batches."""

_DRAIN_LIMITS = Limits(seconds=300, quiet_seconds=20, pace_seconds=0.1, away_seconds=120)
_LAST_LIMITS = Limits(seconds=600, quiet_seconds=1, away_seconds=120)


@dataclass(frozen=True)
class Platform:
    """A home whose warehouse is deployed, and the home that its Kafka is kept in; `jars` is where
    Kafka's jars are, in that home if None.
    """

    home: Home
    kafka_home: Home
    jars: Path | None = None

    def start_kafka(self) -> str:
        """Unless it runs; where it listens."""
        return kafka_broker.start(self.kafka_home, self.jars, timeout=120)


@dataclass
class Outcome:
    """What happened, what the producer sent, and what was found wrong: nothing, one hopes."""

    seed: int
    rounds: Counter[str] = field(default_factory=Counter)
    died_of_it: int = 0
    seconds: float = 0.0
    sent: Sent | None = None
    wrong: list[str] = field(default_factory=list)


def run_rounds(platform: Platform, rounds: int, seed: int, rate: int) -> Outcome:
    """Run the rounds on a platform that the environment names; leaves it running."""
    started = time.monotonic()
    outcome = Outcome(seed)
    chance = random.Random(seed)  # noqa: S311 - which moments, no secret
    servers = platform.start_kafka()
    KafkaResource().create_topic(contract(STREAM).kafka_topic, 3)
    with _producer(servers, rate, seed) as stop_producing, _Drainer() as drainer:
        for _ in range(rounds):
            drainer.ensure_running()
            (fault,) = chance.choices(FAULTS, weights=[each.weight for each in FAULTS])
            time.sleep(chance.random() * _MOMENT_SECONDS)
            outcome.rounds[fault.name] += 1
            fault.happen(platform, drainer)
            outcome.died_of_it += not drainer.is_running()
        outcome.sent = stop_producing()
        drainer.end()
    drain(_stores(), KafkaResource(), _no_report, _LAST_LIMITS)
    outcome.wrong = differences(platform.home, outcome.sent)
    outcome.seconds = time.monotonic() - started
    return outcome


def differences(home: Home, sent: Sent) -> list[str]:
    """Where lake, warehouse, facts and rollups differ from what was sent."""
    stores = _stores()
    quarantine = stores.quarantine
    found = {
        "records in raw": (sum(stores.raw.rows_by_day().values()), sent.records),
        "rejected": (sum(quarantine.rows_by_day(verdict="rejected").values()), sent.bad),
        "duplicates": (sum(quarantine.rows_by_day(verdict="duplicate").values()), sent.duplicates),
        "cleaned": (_by_name(stores.cleaned.rows_by_day()), sent.events),
        "lost ranges": (stores.gaps.all(), []),
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
        verdicts = [difference(client, table, None) for table in tables if table.asset in behind]
        wrong += [f"{v.asset_key}: {v.description}" for v in verdicts if not v.passed]
    return wrong


def _by_name(rows: object) -> dict[str, int]:
    return {day.isoformat(): n for day, n in rows.items() if n}  # type: ignore[attr-defined]


def _no_report(_: Taken) -> None:
    """Nobody looks on."""


def _stores() -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(STREAM))


@contextmanager
def _producer(servers: str, rate: int, seed: int) -> Iterator[Callable[[], Sent]]:
    """A process that sends; the call stops it and says what it sent."""
    command = [sys.executable, "-m", "bench.fault_producer", servers, contract(STREAM).kafka_topic]
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


class _Drainer:
    """Drains in processes of their own, one at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "bench.stream_faults", "--serve-drains"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._child: int | None = None

    def __enter__(self) -> _Drainer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()

    def ensure_running(self) -> None:
        if self.is_running():
            return
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write("drain\n")
        self._server.stdin.flush()
        self._child = int(self._server.stdout.readline())

    def is_running(self) -> bool:
        """The server reaps its child as soon as it ends."""
        return self._child is not None and Path(f"/proc/{self._child}").exists()

    def kill(self) -> None:
        if self.is_running() and self._child is not None:
            os.kill(self._child, signal.SIGKILL)
        self.end(0)

    def end(self, patience_seconds: float = 0.0) -> None:
        """Wait for the drain to end by itself; then no longer."""
        deadline = time.monotonic() + patience_seconds
        while self.is_running() and self._child is not None:
            if time.monotonic() > deadline:
                os.kill(self._child, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.01)


def serve_drains() -> None:
    """Fork a drain each time the input says so, and tell its process id."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                drain(_stores(), KafkaResource(), _no_report, _DRAIN_LIMITS)
                code = 0
            except Exception as error:  # noqa: BLE001 - a forked child goes no further
                print(f"{type(error).__name__}: {str(error)[:200]}", file=sys.stderr, flush=True)
            os._exit(code)
        print(child, flush=True)
        os.waitpid(child, 0)


def _kill_drain(_: Platform, drainer: _Drainer) -> None:
    drainer.kill()


def _kill_clickhouse(platform: Platform, drainer: _Drainer) -> None:
    state = running_state(platform.home)
    if state is not None:
        os.kill(state.pid, signal.SIGKILL)
    # The drain fails at its next insert; whoever comes next starts the server.
    drainer.end(patience_seconds=10)


def _kill_kafka(platform: Platform, _: _Drainer) -> None:
    pid = kafka_broker.process_id(platform.kafka_home)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    while kafka_broker.is_running(platform.kafka_home):
        time.sleep(0.01)
    platform.start_kafka()


def _stop_kafka(platform: Platform, _: _Drainer) -> None:
    kafka_broker.stop(platform.kafka_home)
    platform.start_kafka()


@dataclass(frozen=True)
class Fault:
    """What may happen in a round; `weight`: how often of 20 rounds."""

    name: str
    weight: int
    happen: Callable[[Platform, _Drainer], None]


FAULTS = (
    Fault("kill the drain", 12, _kill_drain),
    Fault("kill ClickHouse", 4, _kill_clickhouse),
    Fault("kill Kafka", 2, _kill_kafka),
    Fault("stop Kafka", 2, _stop_kafka),
)


def report(outcome: Outcome) -> str:
    """The outcome as a table."""
    sent = outcome.sent
    assert sent is not None
    lines = [f"{name:<18}{times:>6} rounds" for name, times in sorted(outcome.rounds.items())]
    lines += [
        f"{'drains that died':<18}{outcome.died_of_it:>6}",
        f"seed {outcome.seed}, {outcome.seconds:.0f} s, {sent.records:,} records sent: "
        f"{sum(sent.events.values()):,} events, {sent.duplicates:,} again, {sent.bad:,} bad",
        *(f"WRONG: {each}" for each in outcome.wrong),
        "0 lost, 0 doubled" if not outcome.wrong else f"{len(outcome.wrong)} tables differ",
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=1500, help="records a second")
    parser.add_argument("--jars", type=Path, help="where Kafka's jars are kept; in the home else")
    parser.add_argument("--serve-drains", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_drains:
        serve_drains()
        return 0
    from resources.embedded_clickhouse.lifecycle import ensure_running, stop
    from social_assets.defs.warehouse_deployment import deploy_warehouse

    with tempfile.TemporaryDirectory(prefix="stream-faults-") as folder:
        os.environ[ENVIRONMENT_VARIABLE] = folder
        home = Home(Path(folder))
        try:
            deploy_warehouse(ensure_running(home), home)
            platform = Platform(home, home, options.jars)
            outcome = run_rounds(platform, options.rounds, options.seed, options.rate)
        finally:
            kafka_broker.stop(home)
            stop(home)
    print(report(outcome))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
