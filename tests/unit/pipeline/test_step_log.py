"""The log line of a step has run, stream, step, batch and seconds, also after a failure."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from social_assets.contracts.registry import contract
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores

RUN = "12345678-1234-1234-1234-123456789abc"


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[list[logging.LogRecord]]:
    handler, logger = Kept(), logging.getLogger("social_assets.pipeline")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler.records
    logger.setLevel(level)
    logger.removeHandler(handler)


def fields(record: logging.LogRecord) -> dict[str, object]:
    names = ("levelname", "run_id", "stream", "step", "batch_id")
    return {name: getattr(record, name) for name in names}


def test_a_line_can_be_searched_by_run_stream_step_and_batch(
    kept: list[logging.LogRecord],
) -> None:
    log = StepLog(StreamStores(cast(Any, None), contract("posts"), f"{RUN} load posts"))
    with log.step("clean", "b1"):
        pass
    with pytest.raises(ValueError, match="no such"), log.step("load", "b1"):
        raise ValueError("no such column")
    of_all = {"run_id": RUN, "stream": "posts", "batch_id": "b1"}
    assert [fields(record) for record in kept] == [
        {"levelname": "INFO", **of_all, "step": "clean"},
        {"levelname": "ERROR", **of_all, "step": "load"},
    ]
    assert all(record.seconds >= 0 for record in kept)  # type: ignore[attr-defined]
