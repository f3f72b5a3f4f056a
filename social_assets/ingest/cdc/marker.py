"""Writes the marker before a new snapshot: a truncate, as Debezium would write it.

Rows of earlier snapshots end at the first row of the next one; if the table has become empty, there
is none. Belongs here: the marker alone. All other changes are written by Debezium.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from resources.kafka.durable import DURABLE, flush, not_taken
from resources.kafka.resource import KafkaRefusedError, KafkaResource
from social_assets.contracts.contract import Contract

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_SECONDS = 30.0


def send_marker(contract: Contract, lsn: int) -> None:
    """Have all rows of the stream's topic end here. Durable when it returns.

    `lsn` is a position that no change has. Raises KafkaRefusedError if it cannot be written, and
    TimeoutError if that is not known.
    """
    from confluent_kafka import Producer

    failed: list[str] = []
    topic, settings = contract.kafka_topic, KafkaResource().client_settings()
    servers = settings["bootstrap.servers"]

    def heed(error: KafkaError | None, _: Message[bytes, bytes]) -> None:
        if error is not None:
            failed.append(not_taken(error, topic, servers))

    producer = Producer({**settings, **DURABLE})
    producer.produce(topic, _marker(contract, lsn), on_delivery=heed)
    flush(producer, _SECONDS)
    if failed:
        raise KafkaRefusedError(f"the begin of a snapshot could not be written: {failed[0]}")


def _marker(contract: Contract, lsn: int) -> bytes:
    schema, _, table = (contract.capture.table if contract.capture else "").partition(".")
    source = {
        "version": "social-assets",
        "connector": "postgresql",
        "snapshot": "false",
        "schema": schema,
        "table": table,
        "lsn": lsn,
        "txId": None,
        "ts_us": time.time_ns() // 1000,
    }
    return json.dumps({"before": None, "after": None, "source": source, "op": "t"}).encode()
