"""Drains a topic on Spark in a process of its own, which may be killed; see `test_drain_on_spark`.

    python drain_process.py FOLDER [kill|twice]

`kill`: it kills itself before the second micro-batch is in cleaned. `twice`: each micro-batch is
given twice, as a query may that has lost its record of the first time.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from resources.clickhouse.resource import ClickHouseResource
from resources.kafka.resource import KafkaResource
from social_assets.contracts.registry import contract
from social_assets.lake.delta import LakeTable
from social_assets.pipeline.spark import drain
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.topics.topic_source import Limits
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_in

LIMITS = Limits(seconds=120, quiet_seconds=0.2, max_records=250)


def main(folder: Path, how: str) -> None:
    if how == "kill":
        _kill_before_the_second()
    elif how == "twice":
        _give_twice()
    stores = Stores(lake_in(folder), DuckDBEngine(folder / "spill"), ClickHouseResource())
    stream = stores.of(contract("engagement_events"))
    drain.drain_on_spark(stream, KafkaResource(), lambda _: None, LIMITS)


def _kill_before_the_second() -> None:
    append_by, seen = LakeTable.append_by, []

    def append_some(table: LakeTable, *arguments: Any) -> None:
        seen.extend([1] if "/cleaned/" in table.uri else [])
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        append_by(table, *arguments)

    LakeTable.append_by = append_some  # type: ignore[assignment, method-assign]


def _give_twice() -> None:
    take = drain._Course.take

    def take_twice(course: drain._Course, frame: Any, number: int) -> None:
        take(course, frame, number)
        take(course, frame, number)

    drain._Course.take = take_twice  # type: ignore[method-assign]


if __name__ == "__main__":
    main(Path(sys.argv[1]), "".join(sys.argv[2:]))
