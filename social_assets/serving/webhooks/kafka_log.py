"""Stores events in the topics of their streams: durable when all replicas in sync have them.

Belongs here: producing, and which events the cluster has not taken. The topics are read by the
streaming path like those of every other producer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from resources.kafka.durable import DURABLE, flush, not_taken
from resources.kafka.settings import KafkaSettings
from social_assets.ingest.webhooks.webhook import WebhookEvent

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

    Report = Callable[[KafkaError | None, Message[bytes, bytes]], None]

_log = logging.getLogger(__name__)

_SECONDS = 5.0
"""How long a group of events may take; the platforms wait for about ten seconds."""

_SENDING = {
    **DURABLE,
    "compression.type": "lz4",
    "message.timeout.ms": int(_SECONDS * 1000),
    # A group is produced in one go, and flushed: nothing is gained by waiting for more.
    "linger.ms": 5,
    # What was taken needs no report: a flush returns when nothing is under way any more.
    "delivery.report.only.error": True,
    "queue.buffering.max.messages": 1_000_000,
}


class KafkaLog:
    """A producer for topics, by the names of their streams."""

    def __init__(self, settings: KafkaSettings, topics: Mapping[str, str]) -> None:
        self._settings = settings
        self._topics = topics
        self._producer: Producer | None = None
        self._is_fatal = False

    def write(self, events: Sequence[WebhookEvent]) -> Mapping[int, str]:
        """Produce the events, and wait until the cluster has them; the places of those that it has
        not, and why.
        """
        failed: dict[int, str] = {}
        producer = self._connected()

        def report_of(place: int, topic: str) -> Report:
            def report(error: KafkaError | None, _: Message[bytes, bytes]) -> None:
                if error is not None:
                    self._is_fatal |= error.fatal()
                    failed[place] = not_taken(error, topic, self._settings.servers)

            return report

        for place, event in enumerate(events):
            topic = self._topics[event.stream]
            try:
                producer.produce(topic, event.value, on_delivery=report_of(place, topic))
            except BufferError:
                failed[place] = (
                    f"topic {topic}: more events wait for {self._settings.servers} than the "
                    "producer holds; those that are sent again go with a later group"
                )
        flush(producer, _SECONDS * 2)
        if failed:
            reason = next(iter(failed.values()))
            _log.warning(
                "Kafka at %s has not taken %d of %d webhook events (%s); their deliveries are "
                "answered 503",
                *(self._settings.servers, len(failed), len(events), reason),
            )
        return failed

    def tend(self) -> None:
        """Serve the producer's callbacks."""
        if self._producer is not None:
            self._producer.poll(0)

    def close(self) -> None:
        """Nothing is under way between two groups."""
        self._producer = None

    def _connected(self) -> Producer:
        # Imported here: loading this module does not need librdkafka.
        from confluent_kafka import Producer

        if self._producer is None or self._is_fatal:
            # After a fatal error an idempotent producer takes nothing more.
            self._is_fatal = False
            self._producer = Producer({**self._settings.for_librdkafka(), **_SENDING})
        return self._producer
