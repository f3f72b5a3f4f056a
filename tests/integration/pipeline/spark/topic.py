"""A topic of events for drains on Spark: what is sent, and jars that Maven copies once."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from resources.kafka.resource import KafkaResource

TOPIC = "engagement_events"


def jars(name: str) -> Path:
    """A folder that all tests share, so that Maven copies jars once."""
    folder = Path(tempfile.gettempdir()) / f"social-assets-{name}-jars-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder


def send(kafka: KafkaResource, first: int, end: int) -> None:
    """Send events of the last three days: each comes twice, one of ten is rejected, some are no
    records at all.
    """
    from confluent_kafka import Producer

    producer = Producer({**kafka.client_settings(), "enable.idempotence": True})
    # Older events would be rejected: they are live.
    days = [f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}" for back in (3, 2, 1)]
    for number in range(first, end):
        named = {"event_id": f"e{number // 2}", "event_time": days[number % 6 // 2]}
        rest = {"account_id": 1, "metric_type": "like", "value": -1 if number % 10 == 4 else 1}
        value = b"none" if number % 50 == 7 else json.dumps(named | rest).encode()
        headers: list[tuple[str, str | bytes | None]] = [("a", b"1"), ("a", None)]
        producer.produce(
            TOPIC, value, partition=number // 2 % 2, headers=headers if number % 3 else None
        )
    assert producer.flush(60) == 0
