"""Drains a million fuzzed records and counts what became of each; none may be lost.

    python -m bench.faults.fuzzed_records

Prints the counts by reason, and seconds. Exits with 1 if a drain failed or a record is missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from bench.live_platform import temporary_home
from resources.clickhouse.resource import ClickHouseResource
from resources.kafka import broker as kafka_broker
from resources.kafka.resource import KafkaResource
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples.fuzzed_records import fuzzed_records
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.topic_source import Limits

STREAM = contract("engagement_events")
_LIMITS = Limits(seconds=3_600, quiet_seconds=2, max_records=50_000)


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--jars", type=Path, help="where Kafka's jars are kept; in the home else")
    options = parser.parse_args()
    with temporary_home("stream-fuzz-") as home:
        kafka_broker.start(home, options.jars)
        send(options.records, options.seed)
        started = time.monotonic()
        micro_batches: list[Taken] = []
        stores = StoresResource(clickhouse=ClickHouseResource()).stores().of(STREAM)
        drain(stores, KafkaResource(), micro_batches.append, _LIMITS)
        seconds = time.monotonic() - started
        wrong = account(stores, options.records)
    print(
        f"seed {options.seed}: {options.records:,} fuzzed records in {len(micro_batches)} "
        f"micro-batches, {seconds:.0f} s"
    )
    print("all accounted for" if not wrong else f"WRONG: {wrong}")
    return 1 if wrong else 0


def send(records: int, seed: int) -> None:
    """Write the records into the stream's topic, and wait until the broker has all of them."""
    from confluent_kafka import Producer

    kafka = KafkaResource()
    kafka.create_topic(STREAM.kafka_topic, 4)
    producer = Producer({**kafka.client_settings(), "linger.ms": 20, "compression.type": "lz4"})
    for value in fuzzed_records(records, seed=seed, now=datetime.now(UTC)):
        while len(producer) > 50_000:
            producer.poll(0.1)
        producer.produce(STREAM.kafka_topic, value)
        producer.poll(0)
    producer.flush()
    offsets = kafka.offsets(STREAM.kafka_topic)
    if offsets is None or sum(offsets.end.values()) != records:
        raise RuntimeError(f"the topic took other than {records:,} records: {offsets}")


def account(stores: StreamStores, records: int) -> list[str]:
    """The differences between the expected and the actual counts."""
    raw, cleaned = stores.raw.rows_by_day(), stores.cleaned.rows_by_day()
    duplicates = stores.quarantine.rows_by_day(verdict="duplicate")
    rejected = stores.quarantine.rows_by_day(verdict="rejected")
    accounted = Counter(cleaned) + Counter(duplicates) + Counter(rejected)
    reasons = Counter(
        stores.quarantine.read()["reasons"].combine_chunks().flatten().to_pylist()
    ).most_common()
    accepted = sum(cleaned.values())
    print(
        f"{accepted:,} accepted, {sum(duplicates.values()):,} duplicates, "
        f"{sum(rejected.values()):,} rejected, on {len(raw)} dates"
    )
    print(", ".join(f"{reason} {times:,}" for reason, times in reasons))
    with ClickHouseResource().client() as client:
        facts = client.query("SELECT count() FROM star.fact_engagement")
    is_right = {
        "raw": sum(raw.values()) == records,
        "accounted for by day": dict(accounted) == raw,
        "warehouse by day": {d: n for d, n in cleaned.items() if n} == stores.loader.rows_by_day(),
        "facts": facts.result_rows[0][0] == accepted,
    }
    return [name for name, right in is_right.items() if not right]


if __name__ == "__main__":
    sys.exit(main())
