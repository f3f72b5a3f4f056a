"""`cleaned` is made anew from the lake, and a rebuild that was stopped goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from social_assets.pipeline.rebuild_warehouse import (
    LaterWarehouseError,
    RebuildProgress,
    RebuiltWarehouse,
    rebuild_all_days,
)
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.warehouse.pending_days import pending_days
from tests.integration.pipeline.test_loading_files import NEW_YEAR, event
from tests.lake_of_tests import folder_of

DAYS = [NEW_YEAR + timedelta(days=number) for number in range(3)]


@pytest.fixture
def lost(
    stream: Callable[[str], StreamStores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> StreamStores:
    """Three days of two records each, in two files, whose warehouse is gone."""
    stores = stream("engagement_events")
    load(stores, tmp_path, 1)
    load(stores, tmp_path, 2)
    with stores.stores.clickhouse.client() as client:
        client.command("DROP DATABASE cleaned SYNC")
        client.command("CREATE DATABASE cleaned")
    # A slice of one day, so that there are moments between the days.
    monkeypatch.setattr("social_assets.pipeline.rebuild_warehouse.SWAP_ROWS", 1)
    return stores


def load(stores: StreamStores, folder: Path, number: int) -> None:
    path = folder / f"{number}.ndjson"
    lines = [
        event(10 * number + place).replace(str(NEW_YEAR).encode(), str(day).encode())
        for place, day in enumerate(DAYS)
    ]
    path.write_bytes(b"".join(lines))
    ingest_files(stores, [path])


def rebuild(
    stores: StreamStores,
    tell: Callable[[RebuildProgress], None] = lambda done: None,
    build: Callable[[date, date], None] = lambda first, last: None,
) -> RebuiltWarehouse:
    stores.loader.prepare()  # as the deployment of the warehouse does
    return rebuild_all_days([stores], build, tell)


def pending(stores: StreamStores) -> int:
    with stores.stores.clickhouse.client() as client:
        return len(pending_days(client))


def test_all_days_are_made_from_the_lake_and_built_behind(lost: StreamStores) -> None:
    built: list[tuple[date, date]] = []
    told: list[RebuildProgress] = []
    done = rebuild(lost, told.append, lambda first, last: built.append((first, last)))
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 2)
    assert (done.rows, done.days, done.resumed) == (6, 3, False)
    assert built == [(DAYS[0], DAYS[-1])]
    assert [each.rows_done for each in told] == [2, 4, 6, 12]
    assert told[-1].seconds_left == 0
    assert pending(lost) == 0


@pytest.mark.parametrize("stopped_at", [0, 1, 2, 3])
def test_a_stopped_rebuild_goes_on_with_the_days_that_are_left(
    lost: StreamStores, tmp_path: Path, stopped_at: int
) -> None:
    told: list[RebuildProgress] = []

    def stop_after_some(done: RebuildProgress) -> None:
        told.append(done)
        if len(told) > stopped_at:
            raise SystemExit

    def stop_while_built(first: date, last: date) -> None:
        if stopped_at == 3:
            raise SystemExit

    with pytest.raises(SystemExit):
        rebuild(lost, stop_after_some, stop_while_built)
    done = rebuild(lost)
    assert done.resumed
    assert done.rows == 6 - 2 * min(stopped_at + 1, 3)
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 2)
    assert pending(lost) == 0
    # A load after it inserts nothing that the rebuild has put there.
    load(lost, tmp_path, 3)
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 3)


def test_a_rebuild_stopped_before_batches_are_recorded_doubles_no_row(
    lost: StreamStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(stores: StreamStores) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("social_assets.pipeline.rebuild_warehouse._record_loaded", stopped)
        with pytest.raises(SystemExit):
            rebuild(lost)
    assert rebuild(lost).rows == 6
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 2)


def test_a_warehouse_that_has_rows_is_made_equal_to_the_lake(lost: StreamStores) -> None:
    rebuild(lost)
    with lost.stores.clickhouse.client() as client:
        client.command(
            f"INSERT INTO {lost.loader.table} SELECT * REPLACE (toDate('2020-02-02') AS event_date)"
            f" FROM {lost.loader.table}"
        )
    assert not rebuild(lost).resumed
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 2)


def test_a_warehouse_later_than_a_restored_lake_is_refused(
    lost: StreamStores, tmp_path: Path
) -> None:
    rebuild(lost)
    lake, copy = folder_of(lost.stores.lake.root), tmp_path / "copy"
    copytree(lake, copy)
    load(lost, tmp_path, 3)
    rmtree(lake)
    copytree(copy, lake)
    with pytest.raises(LaterWarehouseError, match=r"engagement_events .* Drop its databases"):
        rebuild(lost)
    with lost.stores.clickhouse.client() as client:
        client.command("DROP DATABASE cleaned SYNC")
        client.command("CREATE DATABASE cleaned")
    rebuild(lost)
    load(lost, tmp_path, 3)
    assert lost.loader.rows_by_day() == dict.fromkeys(DAYS, 3)
