"""How the platform's own producers write, so that an acknowledged record survives a lost broker.

Belongs here: the settings that all producers share, and what a person is told of a record that the
cluster has not acknowledged. Which records are sent, and when, belongs to the producers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Producer

DURABLE: Mapping[str, str | bool] = {"acks": "all", "enable.idempotence": True}
"""Acknowledged by all replicas in sync; an attempt that is repeated is stored once."""


_REPORT_SECONDS = 5.0
"""More than the reports of what was given up take: they wait for no broker."""


def flush(producer: Producer, seconds: float) -> None:
    """Return when each record is acknowledged or given up; either is told to its `on_delivery`.

    Records without an answer after `seconds` are given up. Those that were on their way may be in
    the topic all the same. A flush alone leaves them without a report: librdkafka keeps a record
    of a request that a broker holds, also after the record's own time. Raises TimeoutError if a
    report is missing all the same: without it, a record that was not taken would count as taken.
    """
    if producer.flush(seconds):
        producer.purge()
        if left := producer.flush(_REPORT_SECONDS):
            raise TimeoutError(f"{left} records have no report, so that nobody knows of them")


def not_taken(error: KafkaError, topic: str, servers: str) -> str:
    """Why a record of the topic was not acknowledged, and what to do."""
    from confluent_kafka import KafkaError as Errors

    if error.code() in (
        Errors._MSG_TIMED_OUT,
        Errors._TIMED_OUT,
        Errors._PURGE_QUEUE,
        Errors._PURGE_INFLIGHT,
        Errors._TRANSPORT,
        Errors._ALL_BROKERS_DOWN,
        Errors.REQUEST_TIMED_OUT,
        Errors.NOT_ENOUGH_REPLICAS,
        Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ):
        return (
            f"topic {topic}: not acknowledged by enough brokers in time ({error.str()}). Start the "
            f"brokers of {servers} that are down: as many as min.insync.replicas of the topic, and "
            "a majority of the controllers; `social-assets doctor` names what is missing"
        )
    return (
        f"topic {topic}: {error.str()}. `social-assets doctor` examines the brokers of {servers}, "
        "and the topic"
    )
