"""(b) Freshness: from the creation of an event until the hourly rollup counts it.

Belongs here: a producer at a steady rate that records the creation time of each event, queries of
the rollup every POLL_SECONDS, and the computation of delays from both.

The computation is exact: an account belongs to one platform and, here, a platform to one partition.
A partition is drained in order, so that a count of n for a platform means that its first n events
are visible. The time of an answer counts: a delay is never too short, and at most too long by the
time between two answers, which is printed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure
from bench.live_platform import PARTITIONS, TOPIC, LivePlatform, await_that
from resources.kafka.resource import KafkaResource
from social_assets.demo.samples.bench_records import PLATFORMS, RECORD_BYTES, Spread, bench_blocks

RATE = 1_000
POLL_SECONDS = 0.05
P50_SECONDS, P95_SECONDS, P99_SECONDS, QUIET_SECONDS = 1.0, 2.0, 10.0, 10.0

_TICK_SECONDS = 0.005
_VISIBLE_SECONDS = 120.0
_QUIET_SECONDS = 10.0
_ISO_LENGTH = len("2026-01-01T00:00:00")
_COUNTS = "SELECT platform_key, sum(events) FROM rollups.engagement_hourly GROUP BY platform_key"
_NAMES = "SELECT platform_key, any(platform) FROM star.dim_platform GROUP BY platform_key"

Times = NDArray[np.float64]


@dataclass
class Created:
    """The creation time of each event, by partition, in the order of production."""

    times: dict[int, list[float]] = field(
        default_factory=lambda: {partition: [] for partition in range(PARTITIONS)}
    )

    def __len__(self) -> int:
        return sum(map(len, self.times.values()))


@dataclass
class Seen:
    """The rollup's count of each platform, and the time of each answer."""

    at: list[float] = field(default_factory=list)
    counts: list[Mapping[bytes, int]] = field(default_factory=list)

    def total(self) -> int:
        """The number of events in the last answer."""
        return sum(self.counts[-1].values()) if self.counts else 0

    def of(self, platform: bytes) -> NDArray[np.int64]:
        """The counts of one platform in each answer."""
        return np.array([counts.get(platform, 0) for counts in self.counts], np.int64)


class PacedProducer:
    """Produces events one by one, each with the moment of its creation as event time."""

    def __init__(self, kafka: KafkaResource, created: Created) -> None:
        from confluent_kafka import Producer

        self._created = created
        self._producer = Producer({**kafka.client_settings(), "linger.ms": 5, "acks": "all"})
        self._records = _records()

    def produce(self, events: int) -> None:
        """Produce this number of events now."""
        for value, account in (next(self._records) for _ in range(events)):
            partition = account % PARTITIONS
            now = time.time()
            self._producer.produce(
                TOPIC,
                _at(value, now),
                str(account).encode(),
                partition=partition,
                timestamp=int(now * 1000),
            )
            self._created.times[partition].append(now)
        self._producer.poll(0)

    def keep_pace(self, rate: int, seconds: float) -> None:
        """Produce `rate` events a second, for some seconds."""
        started, sent = time.monotonic(), 0
        while (passed := time.monotonic() - started) < seconds:
            due = int(passed * rate) - sent
            self.produce(due)
            sent += due
            time.sleep(_TICK_SECONDS)
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has all events."""
        left = self._producer.flush(30)
        if left:
            raise RuntimeError(f"the broker has not taken {left} events within 30 s")


def measure(
    platform: LivePlatform, seconds: float, change_after: float, quiet_rounds: int
) -> list[Figure]:
    """Measure the first events after a quiet time, then a steady rate that spans two drain runs."""
    created, seen = Created(), Seen()
    producer = PacedProducer(platform.kafka, created)
    first = [_first_after_quiet(platform, producer, created, seen) for _ in range(quiet_rounds)]
    platform.await_end_of_drains()
    run = platform.launch_drain(change_after)
    await_that(lambda: _has_started(platform, run), 60, "the first drain to start")
    # Until the run has imported its modules and opened its tables: then it reads records at once.
    producer.produce(1)
    _look_until(platform, seen, len(created))
    began = time.time()
    pace = threading.Thread(target=producer.keep_pace, args=(RATE, seconds))
    pace.start()
    while pace.is_alive():
        _look(platform, seen)
    _look_until(platform, seen, len(created))
    delays, when = _delays(platform, created, seen)
    measured = when >= began
    runs = [d for d in platform.drains() if d.ended is None or d.ended > began]
    changed_at = min(d.ended for d in runs if d.ended is not None)
    if len(runs) < 2 or changed_at > began + seconds:
        raise RuntimeError(f"the drain runs did not change while events came: {runs}")
    steady = measured & (when < changed_at - _QUIET_SECONDS)
    gaps = np.diff([at for at in seen.at if at >= began])
    return [
        Figure("freshness", "events", int(measured.sum()), "events"),
        Figure("freshness", "rate", measured.sum() / (when[-1] - began), "events/s"),
        Figure("freshness", "drain runs", len(runs), "runs"),
        *_percentiles("", delays[measured], with_targets=True),
        *_percentiles(", without the change", delays[steady], with_targets=False),
        Figure("freshness", "between two looks, median", float(np.median(gaps)), "s"),
        Figure("freshness", "between two looks, longest", float(gaps.max()), "s"),
        *(
            [Figure("freshness", "first event after quiet, worst", max(first), "s", QUIET_SECONDS)]
            if first
            else []
        ),
        *(Figure("freshness", f"first event after quiet {n}", s, "s") for n, s in enumerate(first)),
    ]


def _percentiles(suffix: str, delays: Times, *, with_targets: bool) -> list[Figure]:
    targets = (P50_SECONDS, P95_SECONDS, P99_SECONDS, None)
    values = np.percentile(delays, (50, 95, 99, 100))
    return [
        Figure("freshness", f"{name}{suffix}", float(v), "s", target if with_targets else None)
        for name, v, target in zip(("p50", "p95", "p99", "longest"), values, targets, strict=True)
    ]


def _first_after_quiet(
    platform: LivePlatform, producer: PacedProducer, created: Created, seen: Seen
) -> float:
    platform.await_end_of_drains()
    began = time.time()
    producer.produce(1)
    producer.flush()
    _look_until(platform, seen, len(created))
    return seen.at[-1] - began


def _has_started(platform: LivePlatform, run_id: str) -> bool:
    return any(d.run_id == run_id and d.started for d in platform.drains())


def _look(platform: LivePlatform, seen: Seen) -> None:
    """Record what is visible; two queries begin POLL_SECONDS apart."""
    began = time.time()
    rows = platform.warehouse.query(_COUNTS).result_rows
    seen.at.append(time.time())
    seen.counts.append({bytes(key): int(events) for key, events in rows})
    time.sleep(max(0.0, began + POLL_SECONDS - time.time()))


def _look_until(platform: LivePlatform, seen: Seen, events: int) -> None:
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while True:
        _look(platform, seen)
        if seen.total() >= events:
            break
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen.total():,} of {events:,} events visible in vain waiting")
    if seen.total() != events:
        raise RuntimeError(f"{events:,} events were created and {seen.total():,} are visible")


def _delays(platform: LivePlatform, created: Created, seen: Seen) -> tuple[Times, Times]:
    """Seconds to visibility and creation time of every event, in the order of creation."""
    names = platform.warehouse.query(_NAMES).result_rows
    keys = {PLATFORMS.index(name): bytes(key) for key, name in names if name in PLATFORMS}
    at = np.array(seen.at)
    parts = [
        delays(np.array(times), at, seen.of(keys[partition]))
        for partition, times in created.times.items()
        if times
    ]
    when = np.concatenate([np.array(times) for times in created.times.values()])
    order = np.argsort(when, kind="stable")
    return np.concatenate(parts)[order], when[order]


def delays(created: Times, at: Times, counts: NDArray[np.int64]) -> Times:
    """The delay of each event of a partition, from the count of each answer.

    `created` is in order; event n is visible in the first answer that counts more than n.
    """
    looks = np.searchsorted(np.maximum.accumulate(counts), np.arange(len(created)), side="right")
    return at[looks] - created


def _records() -> Iterator[tuple[bytes, int]]:
    """Records without a line end, and their accounts."""
    for seed in range(1_000_000):
        until = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        for block in bench_blocks(20_000, until=until, seed=1_000 + seed, spread=Spread.LIFELIKE):
            values: Sequence[Any] = block.lines.view(f"V{RECORD_BYTES}").ravel().tolist()
            accounts = [int(bytes(digits)) for digits in block.accounts]
            yield from zip((bytes(v)[:-1] for v in values), accounts, strict=True)


def _at(value: bytes, instant: float) -> bytes:
    """The record with another event time."""
    place = value.index(b'"event_time": "') + len(b'"event_time": "')
    text = datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    return value[:place] + text + value[place + _ISO_LENGTH :]
