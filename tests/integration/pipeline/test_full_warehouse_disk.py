"""The warehouse's disk is full: a load or rebuild fails, and completes when there is space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.clickhouse.resource import URL_VARIABLE, ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.machine.disk_space import RESERVE_VARIABLE
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.lake.lake import Lake
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.integration.pipeline.test_full_disk import DAYS, records
from tests.small_disk import MakeSmallDisk, SmallDisk

ALL = Counts(6_000, 5_875, 5, 120, 5_875)


@pytest.fixture
def disk(small_disk: MakeSmallDisk, tmp_path: Path) -> SmallDisk:
    folder = tmp_path / "home" / "clickhouse"
    folder.mkdir(parents=True)
    return small_disk(200, at=folder)


@pytest.fixture
def events(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StreamStores]:
    home = Home(tmp_path / "home")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
    monkeypatch.setenv(RESERVE_VARIABLE, "0")
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    stores = Stores(
        Lake(str(home.lake), home.path / "locks"),
        DuckDBEngine(home.path / "spill"),
        ClickHouseResource(),
    )
    found = stores.of(contract("engagement_events"))
    found.loader.prepare()
    yield found
    stop(home)


def test_rows_that_the_warehouse_has_no_room_for_are_loaded_when_it_has(
    events: StreamStores, disk: SmallDisk, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(records(0, 6_000))
    for room in (0, 65_536):
        disk.fill(leave_bytes=room)
        with pytest.raises(Exception, match=r"NOT_ENOUGH_SPACE|[Nn]o space left|CANNOT_WRITE"):
            ingest_files(events, [file])
        disk.make_room()
    ingest_files(events, [file])
    assert counts(events) == ALL
    before = contents(events)
    disk.fill()
    with pytest.raises(Exception, match=r"NOT_ENOUGH_SPACE|[Nn]o space left|CANNOT_WRITE"):
        rebuild(events, DAYS)
    disk.make_room()
    # Each day is as before or as rebuilt, which is the same here; no day is absent.
    assert contents(events) == before
    rebuild(events, DAYS)
    assert contents(events) == before
    assert counts(events) == ALL
