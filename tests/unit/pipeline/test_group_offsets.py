"""Operators' tools are told how far a drain is, and the drain waits for no answer meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from resources.kafka.admin import KafkaUnreachableError
from social_assets.pipeline.topics.group_offsets import GROUP, GroupOffsets


class Coordinator:
    """Answers commits when it is asked to; nothing else is asked of it."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.answers = threading.Event()
        self.told: list[Mapping[int, int]] = []
        self._is_away = is_away

    def commit(
        self, group: str, topic: str, offsets: Mapping[int, int], timeout_seconds: float = 30.0
    ) -> None:
        assert (group, topic) == (GROUP, "posts")
        assert self.answers.wait(60)
        if self._is_away:
            raise KafkaUnreachableError("a:1", "committing", timeout_seconds)
        self.told.append(dict(offsets))

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} is not asked")


def test_a_coordinator_that_does_not_answer_keeps_no_drain_waiting() -> None:
    coordinator = Coordinator()
    threading.Timer(20, coordinator.answers.set).start()
    group = GroupOffsets(coordinator, "posts", lambda _: None)  # type: ignore[arg-type]
    group.tell({0: 1})
    group.tell({0: 2})
    assert coordinator.told == [], "the caller has waited for the answer"
    coordinator.answers.set()
    group.tell_last({0: 3})
    assert coordinator.told == [{0: 1}, {0: 3}], "one at a time, and the last one"


def test_a_commit_that_fails_is_a_warning() -> None:
    warnings: list[str] = []
    coordinator = Coordinator(is_away=True)
    coordinator.answers.set()
    group = GroupOffsets(coordinator, "posts", warnings.append)  # type: ignore[arg-type]
    group.tell_last({0: 3})
    assert len(warnings) == 1
    assert "offsets of group social-assets on posts were not committed: no answer" in warnings[0]
