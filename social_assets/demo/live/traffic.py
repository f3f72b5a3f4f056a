"""Live traffic: generates records of every stream and sends them to their topics at a steady rate.

Belongs here: the rate, and the count of sent records. The records belong to `live_feed`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from social_assets.contracts.registry import contract
from social_assets.demo.samples.live_feed import SHARES, LiveFeed
from social_assets.operate.runs.failures import RunFailedError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

TICK_SECONDS = 0.2

_FLUSH_SECONDS = 10.0

_SENDING = {"linger.ms": 5, "compression.type": "lz4", "log_level": 0}
"""No logs: the delivery reports errors, and a page is drawn on this terminal."""

Created = Callable[[str, int], None]
"""A function that receives, before they are sent, how many valid records of a stream were
created."""


class LiveTraffic:
    """Sends records in a thread, for the time of a block or until `stop`."""

    def __init__(
        self,
        settings: Mapping[str, str],
        rate: float,
        room: Callable[[str], int],
        created: Created,
    ) -> None:
        """`settings` are those of librdkafka; `rate` is records a second of all streams together;
        `room` returns how many more records of a stream the broker can take without dropping unread
        ones.
        """
        self._settings = settings
        self._rate = rate
        self._room = room
        self._created = created
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="live-traffic", daemon=True)
        self._failure: BaseException | None = None
        self.sent = dict.fromkeys(SHARES, 0)
        self.accepted = dict.fromkeys(SHARES, 0)
        self.held_back = 0

    def __enter__(self) -> Self:
        """Start sending."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop sending."""
        self.stop()

    def stop(self) -> None:
        """Stop sending; the broker then has all sent records."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise RunFailedError if a record could not be made or sent."""
        if self._failure is not None:
            raise RunFailedError(f"live records can't be sent: {self._failure}") from self._failure

    def _send(self) -> None:
        # Imported here: loading this module does not need librdkafka.
        from confluent_kafka import Producer

        producer = Producer({**self._settings, **_SENDING})
        try:
            self._tick_by_tick(producer, LiveFeed())
            if producer.flush(_FLUSH_SECONDS):
                raise TimeoutError(f"{len(producer)} records are still on their way")
        except Exception as error:  # noqa: BLE001 - raised by `check`, in the thread that waits
            self._failure = error

    def _tick_by_tick(self, producer: Any, feed: LiveFeed) -> None:
        due = dict.fromkeys(SHARES, 0.0)
        last = time.monotonic()
        while not self._stop.wait(TICK_SECONDS):
            now = time.monotonic()
            for stream, share in SHARES.items():
                due[stream] += self._rate * share * (now - last)
                wanted = int(due[stream])
                due[stream] -= wanted
                records = min(wanted, max(0, self._room(stream)))
                self.held_back += wanted - records
                if records:
                    self._send_some(producer, feed, stream, records)
            last = now
            producer.poll(0)

    def _send_some(self, producer: Any, feed: LiveFeed, stream: str, records: int) -> None:
        messages = feed.take(stream, records, datetime.now(UTC))
        self._created(stream, messages.accepted)
        batch = [
            {"value": value, "key": key}
            for value, key in zip(messages.values, messages.keys, strict=True)
        ]
        topic = contract(stream).kafka_topic
        queued = producer.produce_batch(topic, batch, on_delivery=self._delivered)
        if queued != len(batch):
            raise BufferError(f"{len(batch) - queued} records of {stream} found no place")
        self.sent[stream] += queued
        self.accepted[stream] += messages.accepted

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = RuntimeError(f"{error.str()} (topic {message.topic()})")
