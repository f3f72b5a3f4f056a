"""kill -9 of the embedded ClickHouse under load: in the end each level has each row once.

A killed insert may be in its table and in some of the views behind it, and the server may know the
token of a part that it has lost. The next load inserts the batch again and records its days as
pending, because the server started after the batch was landed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import Error as ClickHouseClientError
from dagster import DagsterInstance
from urllib3.exceptions import HTTPError

from resources.clickhouse.resource import ClickHouseResource, ClickHouseUnreachableError
from resources.embedded_clickhouse.files import ServerFiles
from resources.embedded_clickhouse.lifecycle import EmbeddedServerError, ensure_running
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.warehouse.conftest import WarehouseUnderTest, at, served

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(600)]

KILLS = 12
SEED = 2026
ROWS_OF_A_FILE = 3_000
FIRST = date(2026, 1, 1)
_KILLED = (
    ClickHouseClientError,
    ClickHouseUnreachableError,
    EmbeddedServerError,
    HTTPError,
    OSError,
)


def _file(folder: Path, name: str) -> Path:
    """Events of three days, of a few accounts and users."""
    events = (
        {
            "event_id": f"{name}e{row}",
            "event_time": (at("2026-01-01 00:00") + timedelta(minutes=row % 4320)).isoformat(),
            "platform": ("TikTok", "YouTube")[row % 2],
            "account_id": str(1 + row % 5),
            "post_id": f"p{row % 11}",
            "user_id": str(1 + row % 23),
            "metric_type": ("like", "share", "comment")[row % 3],
            "value": row % 7 + 0.5,
        }
        for row in range(ROWS_OF_A_FILE)
    )
    path = folder / f"{name}.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


@pytest.fixture
def warehouse(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("killed")) as found:
        yield found


class _Load(threading.Thread):
    """Loads file after file, each until its load succeeds."""

    def __init__(self, stream: StreamStores, folder: Path) -> None:
        super().__init__()
        self._stream = stream
        self._folder = folder
        self.ended = threading.Event()
        self.loaded = self.retried = 0

    def run(self) -> None:
        while not self.ended.is_set():
            file = _file(self._folder, f"file{self.loaded}")
            while not self._is_loaded(file):
                self.retried += 1
            self.loaded += 1

    def _is_loaded(self, file: Path) -> bool:
        try:
            ingest_files(self._stream, [file])
        except _KILLED:
            return False
        return True


def test_killed_under_load_and_retried_every_level_of_views_has_each_row_once(
    warehouse: WarehouseUnderTest, tmp_path: Path
) -> None:
    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    stores = StoresResource(clickhouse=ClickHouseResource())
    load = _Load(stores.stores().of(contract("engagement_events")), tmp_path)
    load.start()
    lock = ServerFiles(warehouse.home).server_lock
    for _ in range(KILLS):
        time.sleep(0.3 + moments.random())
        ensure_running(warehouse.home)
        os.kill(int(lock.read_text()), signal.SIGKILL)
    load.ended.set()
    load.join(timeout=120)
    assert not load.is_alive()
    ensure_running(warehouse.home)
    with DagsterInstance.ephemeral() as instance:
        finish_warehouse(instance, stores, "test")

    rows = ROWS_OF_A_FILE * load.loaded
    assert load.retried >= KILLS // 4, "the kills have met no insert"
    assert warehouse.value("SELECT count() FROM cleaned.engagement_events") == rows
    assert warehouse.value("SELECT count() FROM star.fact_engagement") == rows
    assert warehouse.value("SELECT sum(events) FROM rollups.engagement_daily") == rows
    finished = warehouse.content()
    warehouse.backfill(FIRST, FIRST + timedelta(days=2))
    assert warehouse.content() == finished
