"""A process for the disaster drill: drains engagement_events and loads files, in turn.

With `--to-end`, until the topic is read and all files are loaded; without, until it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stream_work import ingest_files
from social_assets.pipeline.topics.drain import Taken, drain
from social_assets.pipeline.topics.topic_source import Limits

LIMITS = Limits(seconds=5, quiet_seconds=0.5, max_records=500, pace_seconds=0.1)


def main(*, is_to_end: bool, files: list[Path]) -> None:
    clickhouse = ClickHouseResource()
    stores = StoresResource(clickhouse=clickhouse).stores()
    while True:
        stream = stores.of(contract("engagement_events"))
        taken: list[Taken] = []
        drain(stream, KafkaResource(), taken.append, LIMITS)
        if files:
            ingest_files(stream, [files.pop(0)])
        elif is_to_end and not taken:
            return


if __name__ == "__main__":
    named = [Path(each) for each in sys.argv[1:] if each != "--to-end"]
    main(is_to_end="--to-end" in sys.argv, files=named)
