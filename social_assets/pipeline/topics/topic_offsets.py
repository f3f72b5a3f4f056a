"""Compares the lake's offsets of a topic with the broker's: where to read next.

Belongs here: the comparison, which the sensor, the drain and the lag check share, and the reasons
why a range cannot be read. The lake holds the offsets: each commit of raw has, for each partition,
the offset up to which all records have landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.gaps import MissingRange

ALL_PARTITIONS = -1

REASONS = {
    "retention": "deleted by the topic's retention before it was read",
    "recreated": "the topic was deleted and made again; what had not been read before is gone",
    "truncated": "the partition ended before: its log was cut, as by a leader that lagged behind",
    "deleted": "the topic or partition was deleted before it was read",
}
"""Why a range of offsets is lost, by the reader's name for it."""


class BrokerOffsets(Protocol):
    """A broker's offsets of a topic; see `resources.kafka.resource`."""

    @property
    def topic(self) -> str:
        """Its name."""
        ...

    @property
    def topic_id(self) -> str:
        """The topic's id, which changes if the topic is deleted and created again; '' if brokers
        give none.
        """
        ...

    @property
    def earliest(self) -> Mapping[int, int]:
        """Partition -> first offset that still exists."""
        ...

    @property
    def end(self) -> Mapping[int, int]:
        """Partition -> offset that the next record will get."""
        ...


@dataclass(frozen=True)
class Starts:
    """The first offsets to read, the ranges that are lost, and the offsets that raw has."""

    offsets: Mapping[int, int]
    missing: tuple[MissingRange, ...]
    held: Mapping[int, int] = field(default_factory=dict)

    def lag(self, offsets: BrokerOffsets) -> int:
        """How many offsets the broker is ahead of the lake."""
        return sum(max(0, offsets.end[p] - start) for p, start in self.offsets.items())


def app_id(topic: str, topic_id: str, partition: int) -> str:
    """The application id under which raw holds the offset of one partition."""
    return f"kafka/{topic}/{topic_id}/{partition}"


def topic_app_id(topic: str) -> str:
    """The application id which marks that raw has records of this topic, under any topic id."""
    return f"kafka/{topic}"


def landed(
    offsets: BrokerOffsets, next_offsets: Mapping[int, int], before: Mapping[int, int]
) -> list[Applied]:
    """The transactions of a commit to raw: for each partition, the offset up to which all has
    landed.

    `before` are the offsets that raw had when the first offsets to read were taken from it. If
    another writer has landed records since, raw has others, and the commit is refused.
    """
    topic, topic_id = offsets.topic, offsets.topic_id
    applied = [
        Applied(app_id(topic, topic_id, p), end, is_next=True, before=before.get(p))
        for p, end in next_offsets.items()
    ]
    return [*applied, Applied(topic_app_id(topic), 1)]


def starts(raw: LakeTable, offsets: BrokerOffsets) -> Starts:
    """The first offset to read of each partition that the broker has now."""
    topic, topic_id = offsets.topic, offsets.topic_id
    ids = {partition: app_id(topic, topic_id, partition) for partition in offsets.end}
    applied = raw.applied_versions([*ids.values(), topic_app_id(topic)])
    found: dict[int, int] = {}
    missing: list[MissingRange] = []
    if topic_app_id(topic) in applied and len(applied) == 1:
        missing.append(MissingRange(topic, topic_id, ALL_PARTITIONS, 0, None, REASONS["recreated"]))
    for partition, identity in ids.items():
        earliest, end = offsets.earliest[partition], offsets.end[partition]
        start = applied.get(identity, earliest)
        if start < earliest:
            reason = REASONS["retention"]
            missing.append(MissingRange(topic, topic_id, partition, start, earliest, reason))
            start = earliest
        elif start > end:
            missing.append(
                MissingRange(topic, topic_id, partition, start, None, REASONS["truncated"])
            )
            # If topics have no ids, a recreated topic may look like this.
            start = end if topic_id else earliest
        found[partition] = start
    held = {p: applied[identity] for p, identity in ids.items() if identity in applied}
    return Starts(found, tuple(missing), held)
