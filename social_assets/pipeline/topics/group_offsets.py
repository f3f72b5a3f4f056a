"""Tells the cluster how far a drain is, for operators' tools, without keeping the drain waiting.

The coordinator of the group may be a broker that has just died: an answer then takes seconds, in
which records would wait. Belongs here: committing beside the drain. The platform never reads these
offsets; those that count are in the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Thread

from social_assets.pipeline.topics.topic_source import Broker

GROUP = "social-assets"
"""The consumer group that shows the lake's offsets to operators' tools."""

COMMIT_SECONDS = 5.0


class GroupOffsets:
    """Commits the offsets of one topic, one commit at a time."""

    def __init__(self, broker: Broker, topic: str, warn: Callable[[str], None]) -> None:
        self._broker = broker
        self._topic = topic
        self._warn = warn
        self._running: Thread | None = None

    def tell(self, offsets: Mapping[int, int]) -> None:
        """Begin to commit them, unless an earlier commit is still waiting for its answer."""
        if self._running is None or not self._running.is_alive():
            self._running = Thread(
                target=self._commit, args=[dict(offsets)], name="group-offsets", daemon=True
            )
            self._running.start()

    def tell_last(self, offsets: Mapping[int, int]) -> None:
        """Commit them, and wait for the answer, at most twice as long as one may take."""
        if self._running is not None:
            self._running.join(2 * COMMIT_SECONDS)
        self._commit(offsets)

    def _commit(self, offsets: Mapping[int, int]) -> None:
        try:
            self._broker.commit(GROUP, self._topic, offsets, COMMIT_SECONDS)
        except (ConnectionError, RuntimeError) as error:
            # Only operators' tools read the group's offsets; drains read those of the lake.
            self._warn(f"offsets of group {GROUP} on {self._topic} were not committed: {error}")
