"""Signs that a consumer does not work: errors that its threads report, and silence.

Belongs here: counting these signs. The reader decides what to do about them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_SHORTEST_SILENCE_SECONDS = 5.0
_LONGEST_SILENCE_SECONDS = 60.0


class Silence:
    """How long the consumer has returned no records although more are expected.

    An open transaction or a slow broker looks the same, so the limit doubles with each new consumer
    until records arrive.
    """

    def __init__(self) -> None:
        self.limit_seconds = _SHORTEST_SILENCE_SECONDS
        self._seconds = 0.0

    def is_too_long(self, arrived: Sequence[Message], seconds: float) -> bool:
        """Add the result of one call of the consumer that may have waited `seconds`."""
        if not arrived:
            self._seconds += seconds
            return self._seconds >= self.limit_seconds
        self._seconds = 0.0
        if any(message.error() is None for message in arrived):
            self.limit_seconds = _SHORTEST_SILENCE_SECONDS
        return False

    def begin_again(self) -> None:
        """Start again with a new consumer."""
        self._seconds = 0.0
        self.limit_seconds = min(2 * self.limit_seconds, _LONGEST_SILENCE_SECONDS)


class Trouble:
    """The last error that librdkafka's threads reported, for the text of our errors."""

    def __init__(self) -> None:
        self.text = ""
        self.unknown_since: float | None = None

    def note(self, error: KafkaError) -> None:
        """Keep the last error, and the time since which the brokers do not know the topic."""
        from confluent_kafka import KafkaError

        self.text = error.str()
        unknown = (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError._UNKNOWN_TOPIC,
            KafkaError._UNKNOWN_PARTITION,
        )
        if error.code() in unknown and self.unknown_since is None:
            self.unknown_since = time.monotonic()

    def is_unknown_for(self, seconds: float) -> bool:
        """Whether the brokers have not known the topic for longer than `seconds`."""
        return self.unknown_since is not None and time.monotonic() - self.unknown_since > seconds
