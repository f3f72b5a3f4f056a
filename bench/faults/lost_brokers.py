"""Kills brokers of a cluster of three under load; prints the longest pause of producer and drain.

    python -m bench.faults.lost_brokers --rate 1000

A producer sends events and counts them, and a drain takes them to the rollups. Each broker is
killed in its turn with SIGKILL, so that the leader of each partition and the active controller are
among the killed; it is started again when the pause is over. At the end every table is compared
with the producer's counts. Then two of three are killed: what is acknowledged before, between and
after must be in the tables once all are back.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.drains import STREAM, stores
from bench.faults.producer import Sent, event
from bench.faults.three_brokers import NODES, ThreeBrokers
from bench.faults.under_load import differences, producing
from bench.live_platform import temporary_home
from resources.kafka.replication import FACTOR
from resources.kafka.resource import KafkaResource
from resources.kafka.settings import BOOTSTRAP_SERVERS, KafkaSettings
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.ingest.webhooks.webhook import WebhookEvent
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.topic_source import Limits
from social_assets.serving.webhooks.kafka_log import KafkaLog

PARTITIONS = 3
_log = logging.getLogger(__name__)
_LIMITS = Limits(seconds=900, quiet_seconds=5, pace_seconds=0.1, away_seconds=120)
_WAIT_SECONDS = 60.0
_GROUP = 50


@dataclass
class Pauses:
    """When micro-batches were visible in the warehouse, and how late."""

    at: list[float] = field(default_factory=list)
    records: int = 0
    longest_delay_seconds: float = 0.0

    def note(self, taken: Taken) -> None:
        """Note a micro-batch of the drain."""
        self.at.append(time.monotonic())
        self.records += sum(day.landed for day in taken.days.values())
        self.longest_delay_seconds = max(self.longest_delay_seconds, taken.delay_seconds)

    @property
    def longest_seconds(self) -> float:
        """The longest time between two micro-batches."""
        return max((b - a for a, b in zip(self.at, self.at[1:], strict=False)), default=0.0)


@dataclass(frozen=True)
class Lost:
    """What a producer and a drain saw while each broker was killed; `wrong` must be empty."""

    sent: Sent
    drained: Pauses
    wrong: Sequence[str]


@dataclass(frozen=True)
class LostTwo:
    """What a producer was told when two of three brokers were lost.

    `refused` are the texts; `acknowledged` counts the events that were acknowledged, `missing` are
    those of them that the tables do not have.
    """

    acknowledged: int
    refused: Sequence[str]
    acknowledged_while_lost: int
    missing: Sequence[str]
    doubled: Sequence[str]


def lose_each_in_turn(home: Home, cluster: ThreeBrokers, rate: int, seed: int = 1) -> Lost:
    """Kill each broker once, in the cluster and home that the environment names."""
    topic = contract(STREAM).kafka_topic
    KafkaResource().create_topic(topic, PARTITIONS)
    with (
        _draining() as (pauses, running),
        producing(cluster.servers, rate, seed) as stop_producing,
    ):
        _await(lambda: pauses.records > rate, running)
        for number in NODES:
            _log.info("broker %d is killed", number)
            cluster.kill(number)
            # Past the pause: what comes later is taken by the two that are left.
            after = pauses.records
            _await(lambda after=after: pauses.records > after + 5 * rate, running)
            _log.info(
                "broker %d is started, after a pause of %.1f s", number, pauses.longest_seconds
            )
            cluster.start(number)
            _await(lambda: all(_is_whole(cluster, topic, p) for p in range(PARTITIONS)), running)
        _log.info("the producer is stopped")
        sent = stop_producing()
        running.result(timeout=_WAIT_SECONDS)
    _log.info("the drain is done")
    return Lost(sent, pauses, differences(home, sent))


def lose_two(cluster: ThreeBrokers, seconds: float = 12.0) -> LostTwo:
    """Kill two brokers at once, and start them again after a time."""
    settings = KafkaSettings.from_environment()
    assert settings is not None
    topic = contract(STREAM).kafka_topic
    KafkaResource().create_topic(topic, PARTITIONS)
    before = stores().raw.rows_by_day()
    assert not before, f"raw has records already: {before}"
    log = KafkaLog(settings, {STREAM: topic})
    sender = _Sender(log)
    with _draining() as (pauses, running):
        for _ in range(20):
            sender.send()
        _await(lambda: pauses.records > 0, running)
        lost = [cluster.leader(topic), next(n for n in NODES if n != cluster.leader(topic))]
        cluster.kill(*lost)
        begun, known = time.monotonic(), len(sender.acknowledged)
        while time.monotonic() - begun < seconds or not sender.refused:
            sender.send()
        while_lost = len(sender.acknowledged) - known
        cluster.start(*lost)
        _await(sender.is_taken, running)
        for _ in range(20):
            sender.send()
        running.result(timeout=_WAIT_SECONDS)
    landed = _event_ids()
    return LostTwo(
        len(sender.acknowledged),
        sender.refused,
        while_lost,
        sorted(sender.acknowledged - landed.keys()),
        sorted(each for each, times in landed.items() if times > 1),
    )


class _Sender:
    """Sends groups of new events, as a receiver of webhooks does, and remembers each answer."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self._next = 0
        self.acknowledged: set[str] = set()
        self.refused: list[str] = []

    def send(self) -> None:
        numbers = range(self._next, self._next + _GROUP)
        self._next += _GROUP
        failed = self._log.write([WebhookEvent(STREAM, event(number)) for number in numbers])
        self.acknowledged |= {f"e{n}" for place, n in enumerate(numbers) if place not in failed}
        self.refused += failed.values()

    def is_taken(self) -> bool:
        known = len(self.acknowledged)
        self.send()
        return len(self.acknowledged) > known


def _event_ids() -> Counter[str]:
    """How often each id is in cleaned."""
    return Counter(stores().cleaned.read()["event_id"].to_pylist())


@contextmanager
def _draining() -> Iterator[tuple[Pauses, Future[object]]]:
    """Drain in a thread until nothing comes any more."""
    pauses = Pauses()
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield pauses, thread.submit(drain, stores(), KafkaResource(), pauses.note, _LIMITS)


def _is_whole(cluster: ThreeBrokers, topic: str, partition: int) -> bool:
    return cluster.in_sync(topic, partition) == set(NODES)


def _await(condition: Callable[[], bool], running: Future[object]) -> None:
    """Wait for a condition; raises the drain's error if it ends before."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if running.done():
            running.result()
            raise AssertionError("the drain has ended before")
        assert time.monotonic() < deadline, f"not within {_WAIT_SECONDS:g} s"
        time.sleep(0.05)


def main() -> int:
    """Print the pauses; returns 1 if a table differs or an acknowledged event is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="records a second")
    parser.add_argument("--jars", type=Path, help="where Kafka's jars are kept")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    _log.setLevel(logging.INFO)
    wrong: list[str] = []
    for number, lose in enumerate((_each, _two)):
        with (
            temporary_home("lost-brokers-") as home,
            tempfile.TemporaryDirectory(prefix="brokers") as folder,
            ThreeBrokers(Path(folder), options.jars or home.kafka / "jars") as cluster,
        ):
            os.environ |= {BOOTSTRAP_SERVERS: cluster.servers, FACTOR: str(len(NODES))}
            told, differing = lose(home, cluster, options.rate)
            print(json.dumps({"part": number + 1, **told}), flush=True)
            wrong += differing
    for each in wrong:
        print(f"WRONG: {each}")
    return 1 if wrong else 0


def _each(home: Home, cluster: ThreeBrokers, rate: int) -> tuple[dict[str, object], list[str]]:
    lost = lose_each_in_turn(home, cluster, rate)
    return {
        "records": lost.sent.records,
        "longest_pause_of_the_producer_seconds": lost.sent.longest_pause_seconds,
        "longest_pause_of_the_drain_seconds": round(lost.drained.longest_seconds, 2),
        "longest_delay_until_visible_seconds": round(lost.drained.longest_delay_seconds, 2),
    }, list(lost.wrong)


def _two(_: Home, cluster: ThreeBrokers, __: int) -> tuple[dict[str, object], list[str]]:
    lost = lose_two(cluster)
    told = {
        "acknowledged": lost.acknowledged,
        "refused": len(lost.refused),
        "text": lost.refused[0],
    }
    return told, [f"missing: {each}" for each in lost.missing] + [
        f"doubled: {each}" for each in lost.doubled
    ]


if __name__ == "__main__":
    sys.exit(main())
