"""A hop's line says run, stream, hop, batch and seconds, when it is done and when it failed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest

from social_assets.contracts.registry import contract
from social_assets.pipeline.step_log import HopLog
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
    names = ("levelname", "run_id", "stream", "hop", "batch_id")
    return {name: getattr(record, name) for name in names}


def test_a_line_can_be_searched_by_run_stream_hop_and_batch(
    kept: list[logging.LogRecord],
) -> None:
    log = HopLog(StreamStores(cast(Any, None), contract("posts"), f"{RUN} load posts"))
    with log.hop("clean", "b1"):
        pass
    with pytest.raises(ValueError, match="no such"), log.hop("load", "b1"):
        raise ValueError("no such column")
    of_all = {"run_id": RUN, "stream": "posts", "batch_id": "b1"}
    assert [fields(record) for record in kept] == [
        {"levelname": "INFO", **of_all, "hop": "clean"},
        {"levelname": "ERROR", **of_all, "hop": "load"},
    ]
    assert all(record.seconds >= 0 for record in kept)  # type: ignore[attr-defined]
