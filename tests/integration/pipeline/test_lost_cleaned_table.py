"""A lost table of `cleaned`: a writer records its days as pending, a reader creates nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from social_assets.pipeline.finish_days import finish_pending_days
from social_assets.pipeline.maintain import maintain_stream
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.quality.invariants import LakeEqualsWarehouse
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    CLEANED,
    ROLLUPS,
    STAR,
    pending_days,
    record_finished,
    record_pending,
)
from social_assets.warehouse.tables import exists
from tests.integration.pipeline.test_loading_files import NEW_YEAR, event

TABLE = "cleaned.engagement_events"


@pytest.fixture
def events(stream: Callable[[str], StreamStores], tmp_path: Path) -> StreamStores:
    """Two records that are loaded before the table is dropped."""
    stores = stream("engagement_events")
    load(stores, tmp_path, 1, 2)
    with stores.stores.clickhouse.client() as client:
        client.command(f"DROP TABLE {TABLE} SYNC")
    return stores


def load(stores: StreamStores, folder: Path, *numbers: int) -> None:
    path = folder / f"{numbers}.ndjson"
    path.write_bytes(b"".join(event(number) for number in numbers))
    ingest_files(stores, [path])


def pending(stores: StreamStores) -> set[tuple[str, str, date]]:
    with stores.stores.clickhouse.client() as client:
        return {(day.stream, day.layer, day.event_date) for day in pending_days(client)}


def finish(stores: StreamStores, during: Callable[[], None] = lambda: None) -> list[date]:
    """Finish the pending days; returns those for which facts and rollups are rebuilt."""
    built: list[date] = []

    def build(first: date, last: date) -> None:
        built.extend((first, last))
        during()

    finish_pending_days([stores], build, lambda run_id: False)
    return built


ALL_LAYERS = {("engagement_events", layer, ALL_DAYS) for layer in (CLEANED, STAR, ROLLUPS)}


def test_a_first_load_records_nothing_as_pending(
    stream: Callable[[str], StreamStores], tmp_path: Path
) -> None:
    stores = stream("engagement_events")
    load(stores, tmp_path, 1)
    assert pending(stores) == set()


def test_a_load_that_creates_a_lost_table_records_its_days_as_pending(
    events: StreamStores, tmp_path: Path
) -> None:
    load(events, tmp_path, 3)
    assert pending(events) == ALL_LAYERS
    assert sum(events.loader.rows_by_day().values()) == 1
    assert finish(events) == [NEW_YEAR, NEW_YEAR]
    assert pending(events) == set()
    assert events.loader.rows_by_day() == {NEW_YEAR: 3}


def test_a_killed_load_has_recorded_the_days_before_it_creates_the_table(
    events: StreamStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(contract: object) -> str:
        raise SystemExit

    monkeypatch.setattr("social_assets.warehouse.loader.create_table", killed)
    with pytest.raises(SystemExit):
        events.loader.prepare()
    assert pending(events) == ALL_LAYERS


def test_readers_and_maintenance_leave_a_lost_table_lost(events: StreamStores) -> None:
    assert events.loader.rows_by_day() == {}
    invariant = LakeEqualsWarehouse(events.contract)
    sides = invariant.figures(events.stores, None, "test")
    assert (sides.one, sides.other) == ({NEW_YEAR: (2.0,)}, {})
    assert invariant.figures(events.stores, [NEW_YEAR], "test").other == {}
    maintain_stream(events, NEW_YEAR)
    with events.stores.clickhouse.client() as client:
        assert not exists(client, TABLE)


def test_a_day_that_becomes_pending_again_while_it_is_finished_stays_pending(
    events: StreamStores,
) -> None:
    def lose_again() -> None:
        """Drop the table like a deployment, which does not hold the stream's lock."""
        with events.stores.clickhouse.client() as client:
            client.command(f"DROP TABLE {TABLE} SYNC")
            record_pending(client, "engagement_events", (CLEANED, STAR, ROLLUPS), [ALL_DAYS], "")
        events.loader.prepare()

    events.loader.prepare()
    finish(events, lose_again)
    # The layers behind are built before the loss; cleaned was finished before it.
    assert pending(events) == ALL_LAYERS
    finish(events)
    assert pending(events) == set()
    assert events.loader.rows_by_day() == {NEW_YEAR: 2}


def test_pending_days_can_be_read_and_recorded_without_their_table(events: StreamStores) -> None:
    with events.stores.clickhouse.client() as client:
        client.command("DROP TABLE IF EXISTS cleaned.pending_days SYNC")
        assert pending_days(client) == []
        record_pending(client, "engagement_events", (STAR,), [NEW_YEAR], "a run")
        (day,) = pending_days(client)
        assert (day.layer, day.event_date, day.run_id) == (STAR, NEW_YEAR, "a run")
        record_finished(client, [day], "a run")
        assert pending_days(client) == []
