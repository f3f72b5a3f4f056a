"""Where a stream's topic is to be read from: the lake's offsets against the broker's.

Here belongs the comparison, which the sensor, the drain and the lag check share, and what makes a
range unreadable. The lake holds the offsets: each commit of raw carries, per partition, the offset
before which everything has landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from social_assets.lake.delta import LakeTable
from social_assets.lake.gaps import MissingRange

ALL_PARTITIONS = -1


class TopicOffsets(Protocol):
    """What a broker has of a topic; `resources.kafka` says more."""

    @property
    def topic(self) -> str:
        """Its name."""
        ...

    @property
    def topic_id(self) -> str:
        """Another one after the topic was deleted and made again; '' where brokers give none."""
        ...

    @property
    def earliest(self) -> Mapping[int, int]:
        """Partition -> first offset that is still there."""
        ...

    @property
    def end(self) -> Mapping[int, int]:
        """Partition -> offset that the next record gets."""
        ...


@dataclass(frozen=True)
class Starts:
    """From where a topic is to be read, and what of it is gone."""

    offsets: Mapping[int, int]
    missing: tuple[MissingRange, ...]

    def lag(self, offsets: TopicOffsets) -> int:
        """How many offsets the broker is ahead of the lake."""
        return sum(max(0, offsets.end[p] - start) for p, start in self.offsets.items())


def app_id(topic: str, topic_id: str, partition: int) -> str:
    """The application id under which raw keeps the offset of one partition."""
    return f"kafka/{topic}/{topic_id}/{partition}"


def topic_app_id(topic: str) -> str:
    """The application id that says that raw has records of this topic, in any of its lives."""
    return f"kafka/{topic}"


def starts(raw: LakeTable, offsets: TopicOffsets) -> Starts:
    """The first offset to read of each partition that the broker has now."""
    topic, topic_id = offsets.topic, offsets.topic_id
    ids = {partition: app_id(topic, topic_id, partition) for partition in offsets.end}
    applied = raw.applied_versions([*ids.values(), topic_app_id(topic)])
    found: dict[int, int] = {}
    missing: list[MissingRange] = []
    if topic_app_id(topic) in applied and len(applied) == 1:
        reason = "the topic was deleted and made again; what had not been read before is gone"
        missing.append(MissingRange(topic, topic_id, ALL_PARTITIONS, 0, None, reason))
    for partition, identity in ids.items():
        earliest, end = offsets.earliest[partition], offsets.end[partition]
        start = applied.get(identity, earliest)
        if start < earliest:
            reason = "deleted by the topic's retention before it was read"
            missing.append(MissingRange(topic, topic_id, partition, start, earliest, reason))
            start = earliest
        elif start > end:
            reason = f"the partition ends at {end} now: its log was cut or made again"
            missing.append(MissingRange(topic, topic_id, partition, start, None, reason))
            start = end if earliest else earliest
        found[partition] = start
    return Starts(found, tuple(missing))
