"""Sends engagement events until its input ends, and counts them.

    python -m bench.faults.producer

Each event has its own id; some records are sent twice, some are not events. The number of an id
determines date and value, so that the counts give the expected content of every table. Delivery is
idempotent and retried for minutes: each counted record is in the topic once.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from resources.kafka.durable import DURABLE

DAYS = 3
_TICK_SECONDS = 0.05
_DUPLICATES, _BAD = 0.05, 0.03
_BAD_RECORDS = (
    b"",
    b"no record",
    b'{"event_id": 1',
    b"\xff\xfe",
    b'{"event_id": "x", "value": -1}',
)


@dataclass(frozen=True)
class Sent:
    """Counts of the topic: records, records that are not events, records sent twice; and for
    each date the distinct events and the sum of their values.

    `longest_pause_seconds`: the longest time without an acknowledgement, between the first and the
    last one.
    """

    records: int
    bad: int
    duplicates: int
    events: dict[str, int]
    values: dict[str, int]
    longest_pause_seconds: float = 0.0


def main() -> None:
    """Send at a rate until the input ends; then print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("servers")
    parser.add_argument("topic")
    parser.add_argument("--rate", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sent = send(options.servers, options.topic, options.rate, options.seed)
    print(json.dumps(asdict(sent)), flush=True)


def send(servers: str, topic: str, rate: int, seed: int) -> Sent:
    """Send `rate` records a second until standard input ends."""
    from confluent_kafka import Producer

    producer = Producer(
        {
            "bootstrap.servers": servers,
            **DURABLE,
            "delivery.timeout.ms": 600_000,
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
    )
    kinds: Counter[str] = Counter()
    refused: list[str] = []
    longest = 0.0
    last: float | None = None

    def heed(error: object, _: object) -> None:
        nonlocal longest, last
        if error is not None:
            refused.append(str(error))
            return
        now = time.monotonic()
        longest, last = max(longest, now - (last or now)), now

    for kind, value in _records(random.Random(seed), rate):  # noqa: S311 - no secret
        kinds[kind] += 1
        while len(producer) > 90_000:
            producer.poll(0.1)
        producer.produce(topic, value, on_delivery=heed)
        producer.poll(0)
    left = producer.flush(600)
    if left or refused:
        raise RuntimeError(f"{left} records not delivered, {len(refused)} refused: {refused[:1]}")
    dates = [(_moment(n).date().isoformat(), _value(n)) for n in range(kinds["event"])]
    values: Counter[str] = Counter()
    for day, size in dates:
        values[day] += size
    return Sent(
        records=kinds.total(),
        bad=kinds["bad"],
        duplicates=kinds["duplicate"],
        events=dict(Counter(day for day, _ in dates)),
        values=dict(values),
        longest_pause_seconds=round(longest, 2),
    )


def _records(choice: random.Random, rate: int) -> Iterator[tuple[str, bytes]]:
    """Kind and bytes of each record, at the given rate."""
    numbers = 0
    started, made = time.monotonic(), 0
    while not select.select([sys.stdin], [], [], _TICK_SECONDS)[0]:
        due = int((time.monotonic() - started) * rate)
        for _ in range(due - made):
            fate = choice.random()
            if fate < _BAD:
                yield "bad", choice.choice(_BAD_RECORDS)
            elif fate < _BAD + _DUPLICATES and numbers:
                again = choice.randrange(max(0, numbers - 5_000), numbers)
                yield "duplicate", event(again)
            else:
                numbers += 1
                yield "event", event(numbers - 1)
        made = due


_NOW = datetime.now(UTC)


def _moment(number: int) -> datetime:
    return _NOW - timedelta(days=number % DAYS)


def _value(number: int) -> int:
    return number % 11


def event(number: int) -> bytes:
    """The record of an event; its number determines all of it."""
    return (
        f'{{"event_id":"e{number}","event_time":"{_moment(number).isoformat()}","platform":"X",'
        f'"account_id":{1 + number % 7},"post_id":"p{number % 50}","user_id":"{number % 97}",'
        f'"metric_type":"like","value":{_value(number)}}}'
    ).encode()


if __name__ == "__main__":
    main()
