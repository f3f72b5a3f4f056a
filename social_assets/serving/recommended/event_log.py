"""Where events that the API takes are stored: the topics of their streams, or the landing folder.

Belongs here: the choice, and what must be done once before the first event is stored. How events
become durable belongs to `serving.webhooks`, whose receiver stores its events in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resources.kafka.settings import KafkaSettings
from resources.settings.home import Home
from social_assets.ingest.webhooks.webhook import WebhookEvent
from social_assets.serving.webhooks.group_commit import DurableLog
from social_assets.serving.webhooks.kafka_log import KafkaLog
from social_assets.serving.webhooks.landing_segments import LandingSegments

EXPOSURES, FEEDBACK = "recommendation_exposures", "recommendation_feedback"
STREAMS = (EXPOSURES, FEEDBACK)

SEAL_SECONDS = 10.0
"""How long a file in landing is written to before it can be loaded."""


class EventLog:
    """The log of a home. Nothing is opened before it is used."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._log: DurableLog | None = None

    def write(self, events: Sequence[WebhookEvent]) -> Mapping[int, str]:
        """Store events; the places of those that are not stored, and why."""
        return self._opened().write(events)

    def tend(self) -> None:
        """Seal the files that are old enough, also those that a killed server has left."""
        self._opened().tend()

    def close(self) -> None:
        """Seal all files."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _opened(self) -> DurableLog:
        if self._log is None:
            self._log = _log_of(self._home)
        return self._log


def _log_of(home: Home) -> DurableLog:
    settings = KafkaSettings.from_environment()
    if settings is None:
        segments = LandingSegments(home.landing, SEAL_SECONDS)
        segments.recover(STREAMS)
        return segments
    from resources.kafka.resource import KafkaResource
    from social_assets.contracts.registry import contract

    topics = {stream: contract(stream).kafka_topic for stream in STREAMS}
    for topic in topics.values():
        KafkaResource().create_topic(topic)
    return KafkaLog(settings, topics)
