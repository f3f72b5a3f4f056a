"""Fills a topic with engagement events of 500 bytes.

    python -m bench.streaming.kafka_fill TOPIC

Writes events of `bench_records` of the last days, with the account as key and the event time as the
time of the record. Prints the seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np

from resources.kafka.resource import KafkaResource
from social_assets.demo.samples.bench_records import RECORD_BYTES, BenchBlock, Spread, bench_blocks

_QUEUED_RECORDS = 300_000


def main() -> int:
    """Print the rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topic")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--compression", default="lz4")
    parser.add_argument("--even", action="store_true", help="posts and accounts all as popular")
    options = parser.parse_args()
    started, cpu_started = time.perf_counter(), time.process_time()
    fill(
        KafkaResource(),
        options.topic,
        options.records,
        partitions=options.partitions,
        days=options.days,
        compression=options.compression,
        spread=Spread.EVEN if options.even else Spread.LIFELIKE,
    )
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    print(
        f"{options.records:,} records into {options.topic} in {seconds:.1f} s, {cpu:.1f} CPU s, "
        f"{options.records / seconds:,.0f} records/s"
    )
    return 0


def fill(
    kafka: KafkaResource,
    topic: str,
    records: int,
    *,
    partitions: int = 4,
    days: int = 1,
    compression: str = "lz4",
    spread: Spread = Spread.LIFELIKE,
    seed: int = 7,
) -> None:
    """Create the topic if it is absent, and append records with event times of the last `days`.

    Returns when the broker has all of them, or raises RuntimeError. Another `seed` gives other
    event ids.
    """
    from confluent_kafka import Producer

    # The records are up to a week old, and brokers delete records of that age by default.
    kafka.create_topic(topic, partitions, {"retention.ms": "-1"})
    producer = Producer(
        {
            **kafka.client_settings(),
            "compression.type": compression,
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": _QUEUED_RECORDS,
            "queue.buffering.max.kbytes": _QUEUED_RECORDS * RECORD_BYTES // 1000,
        }
    )
    before = _end(kafka, topic)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    for block in bench_blocks(records, until=now, days=days, seed=seed, spread=spread):
        while len(producer) > _QUEUED_RECORDS - len(block.lines):
            producer.poll(0.01)
        _produce(producer, topic, block)
    producer.flush()
    if (written := _end(kafka, topic) - before) != records:
        raise RuntimeError(f"topic {topic} took {written:,} of {records:,} records")


def _end(kafka: KafkaResource, topic: str) -> int:
    offsets = kafka.offsets(topic)
    return 0 if offsets is None else sum(offsets.end.values())


def _produce(producer: Any, topic: str, block: BenchBlock) -> None:
    lines = block.lines.copy()
    lines[:, -1] = ord(" ")
    values = lines.view(f"V{RECORD_BYTES}").ravel().tolist()
    keys = np.ascontiguousarray(block.accounts).view("S4").ravel().tolist()
    times = block.at.astype("datetime64[ms]").astype(np.int64).tolist()
    produce = producer.produce
    for value, key, at in zip(values, keys, times, strict=True):
        produce(topic, value, key, timestamp=at)


if __name__ == "__main__":
    sys.exit(main())
