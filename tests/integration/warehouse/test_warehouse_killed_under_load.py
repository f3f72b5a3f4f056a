"""kill -9 of the embedded ClickHouse under load: the loader's retried token completes each level.

A killed insert may be in its table and in some of the views behind it. Nothing repairs that at
start: the loader sends the batch again, since it was not acknowledged, and the token of its insert
lets in what is missing, at every level, and nothing else.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from datetime import date, timedelta

import pytest
from clickhouse_connect.driver.exceptions import Error as ClickHouseClientError
from urllib3.exceptions import HTTPError

from resources.clickhouse.resource import ClickHouseUnreachableError
from resources.embedded_clickhouse.files import ServerFiles
from resources.embedded_clickhouse.lifecycle import ensure_running
from tests.integration.warehouse.conftest import Row, WarehouseUnderTest, at

# Seen twice on 2026-11-28: after kill -9 a rollup lacks one day of one batch that its fact has, and
# the retried token does not bring it. An open fault (docs/operations.md); the test shows it.
pytestmark = [
    pytest.mark.endurance,
    pytest.mark.timeout(600),
    pytest.mark.xfail(strict=False, reason="a rollup may lack a day's rows after kill -9: open"),
]

KILLS = 12
SEED = 2026
ROWS_OF_A_BATCH = 3_000
FIRST = date(2026, 1, 1)
_KILLED = (ClickHouseClientError, ClickHouseUnreachableError, HTTPError, OSError)


def _batch(name: str) -> list[Row]:
    """Events of three days, of a few accounts and users."""
    return [
        {
            "event_id": f"{name}e{row}",
            "event_time": at("2026-01-01 00:00") + timedelta(minutes=row % 4320),
            "platform": ("TikTok", "YouTube")[row % 2],
            "account_id": 1 + row % 5,
            "post_id": f"p{row % 11}",
            "user_id": str(1 + row % 23),
            "metric_type": ("like", "share", "rating")[row % 3],
            "value": row % 7 + 0.5,
        }
        for row in range(ROWS_OF_A_BATCH)
    ]


class _Load(threading.Thread):
    """Loads batch after batch, each until it is acknowledged."""

    def __init__(self, warehouse: WarehouseUnderTest, name: str) -> None:
        super().__init__(name=name)
        self._warehouse = warehouse
        self.ended = threading.Event()
        self.acknowledged = self.retried = 0

    def run(self) -> None:
        while not self.ended.is_set():
            batch = f"{self.name}-{self.acknowledged}"
            rows = _batch(batch)
            while not self._is_loaded(batch, rows):
                self.retried += 1
            self.acknowledged += 1

    def _is_loaded(self, batch: str, rows: list[Row]) -> bool:
        try:
            ensure_running(self._warehouse.home)
            self._warehouse.stream("engagement_events", *rows, batch=batch)
        except _KILLED:
            return False
        return True


def test_killed_under_load_and_retried_every_level_of_views_has_each_row_once(
    warehouse: WarehouseUnderTest,
) -> None:
    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    loads = [_Load(warehouse, f"load{number}") for number in range(3)]
    for load in loads:
        load.start()
    lock = ServerFiles(warehouse.home).server_lock
    for _ in range(KILLS):
        time.sleep(0.3 + moments.random())
        ensure_running(warehouse.home)
        os.kill(int(lock.read_text()), signal.SIGKILL)
    for load in loads:
        load.ended.set()
        load.join(timeout=120)
        assert not load.is_alive()
    ensure_running(warehouse.home)

    rows = ROWS_OF_A_BATCH * sum(load.acknowledged for load in loads)
    assert sum(load.retried for load in loads) >= KILLS // 2, "the kills have met no insert"
    assert warehouse.value("SELECT count() FROM cleaned.engagement_events") == rows
    assert warehouse.value("SELECT count() FROM star.fact_engagement") == rows
    assert warehouse.value("SELECT sum(events) FROM rollups.engagement_daily") == rows
    streamed = warehouse.content()
    warehouse.backfill(FIRST, FIRST + timedelta(days=2))
    assert warehouse.content() == streamed
