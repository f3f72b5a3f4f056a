"""The begin of a drain: recovers the stream, and finds the offsets to read from.

Belongs here: what all drains do first. The caller must hold the stream's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import recover
from social_assets.pipeline.topics.topic_offsets import BrokerOffsets, landed, starts
from social_assets.pipeline.topics.topic_source import Broker


@dataclass(frozen=True)
class Begin:
    """Where a drain begins. `offsets` is None if there is no such topic.

    `first` are the first offsets to read; `held` are those that raw had when they were read from
    it; `recovered` are the dates that changed by recovery.
    """

    recovered: set[date]
    offsets: BrokerOffsets | None
    first: Mapping[int, int]
    held: Mapping[int, int]


def begin(stores: StreamStores, broker: Broker, away_seconds: float) -> Begin:
    """Recover the stream, record ranges that are lost, and find the first offsets to read."""
    stores.in_force.check_complete()
    # Batches of files too: what landed first must be validated first.
    recovered = recover(stores)
    offsets = broker.offsets(stores.contract.kafka_topic, away_seconds)
    if offsets is None:
        return Begin(recovered, None, {}, {})
    found = starts(stores.raw, offsets)
    held = found.held
    if found.missing:
        stores.gaps.record(found.missing)
        # Even without a record: the lake's offsets pass the gap, so this drain is not repeated.
        stores.raw.append(stores.raw.schema.empty_table(), *landed(offsets, found.offsets, held))
        held = found.offsets
    return Begin(recovered, offsets, found.offsets, held)
