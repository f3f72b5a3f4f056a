"""Measures how fast a topic is read into Arrow.

    python -m bench.streaming.kafka_read

Starts a broker and reads a million records of 500 bytes (lz4, four partitions) several times; the
median counts. CPU seconds are those of this process, with librdkafka's threads. Compare them, and
not wall time, if the machine has other work.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.streaming.kafka_fill import fill
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource, TopicOffsets
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.ingest.kafka.reader import TopicReader

TARGET = 1.6
"""CPU seconds a million records."""

_TOPIC = "kafka_read"
_READ_BYTES = 128 << 20


def main() -> int:
    """Print the table; returns 0 if the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=100_000)
    parser.add_argument("--compression", default="lz4")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kafka_read") as folder:
        home = Home(Path(folder) / "home")
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        os.environ[kafka_broker.PORT_VARIABLE] = str(free_port())
        kafka_broker.start(home)
        try:
            kafka = KafkaResource()
            fill(kafka, _TOPIC, options.records, compression=options.compression)
            offsets = kafka.offsets(_TOPIC)
            if offsets is None:
                raise RuntimeError(f"topic {_TOPIC} was not made")
            ways: dict[str, Callable[[], int]] = {
                "librdkafka's messages, unopened": lambda: _consume(kafka, offsets),
                "records in Arrow": lambda: _read(kafka, offsets, options.batch),
            }
            print(f"{'way':<34} {'records':>10} {'seconds':>8} {'records/s':>10} {'CPU s/M':>8}")
            for way, read in ways.items():
                cpu = _measure(way, read, options.runs)
        finally:
            kafka_broker.stop(home)
    print(f"target: {TARGET} CPU s a million in Arrow: {'met' if cpu <= TARGET else 'MISSED'}")
    return 0 if cpu <= TARGET else 1


def _measure(way: str, read: Callable[[], int], runs: int) -> float:
    seconds, cpu_seconds, records = [], [], 0
    for _ in range(runs):
        began, cpu_began = time.perf_counter(), time.process_time()
        records = read()
        seconds.append(time.perf_counter() - began)
        cpu_seconds.append(time.process_time() - cpu_began)
    elapsed, cpu = statistics.median(seconds), statistics.median(cpu_seconds) / records * 1e6
    print(f"{way:<34} {records:>10,} {elapsed:>8.2f} {records / elapsed:>10,.0f} {cpu:>8.2f}")
    return cpu


def _read(kafka: KafkaResource, offsets: TopicOffsets, batch: int) -> int:
    records = 0
    with TopicReader(
        kafka.client_settings(),
        _TOPIC,
        offsets.earliest,
        topic_id=offsets.topic_id,
        ask_topic_id=lambda: kafka.topic_id(_TOPIC),
    ) as reader:
        while records < sum(offsets.end.values()):
            records += reader.read(offsets.end, batch, _READ_BYTES, 10.0).records.num_rows
    return records


def _consume(kafka: KafkaResource, offsets: TopicOffsets) -> int:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({**kafka.client_settings(), "group.id": "bench"})
    consumer.assign([TopicPartition(_TOPIC, p, o) for p, o in offsets.earliest.items()])
    records = 0
    while records < sum(offsets.end.values()):
        records += len(consumer.consume(500, 1.0))
    consumer.close()
    return records


if __name__ == "__main__":
    sys.exit(main())
