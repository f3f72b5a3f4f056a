"""Both ways into every table give equal rows: rows as they arrive, and rebuilt days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.samples import COLLECTED, FIRST, LAST, STREAMS, engagement

pytestmark = pytest.mark.endurance

SOURCES = {
    "fact_engagement": "engagement_events",
    "fact_video_interactions": "video_interactions",
    "fact_live_streaming_interactions": "live_streaming",
    "fact_community_interactions": "community_interactions",
}

SAMPLES = {**STREAMS, **COLLECTED}


def events_by_day(warehouse: WarehouseUnderTest) -> dict[date, int]:
    return dict(
        warehouse.client.query(
            "SELECT event_date, sum(events) FROM rollups.engagement_daily GROUP BY event_date"
        ).result_rows
    )


def stream_samples(warehouse: WarehouseUnderTest) -> dict[str, str]:
    return {name: warehouse.stream(name, *rows()) for name, rows in SAMPLES.items()}


def test_days_streamed_rebuilt_and_rebuilt_again_are_equal_in_every_table(
    warehouse: WarehouseUnderTest,
) -> None:
    stream_samples(warehouse)
    streamed = warehouse.content()
    assert all(streamed.values())
    for fact, source in SOURCES.items():
        assert warehouse.value(f"SELECT count() FROM star.{fact}") == len(STREAMS[source]())

    warehouse.backfill(FIRST, LAST)
    assert warehouse.content() == streamed

    warehouse.empty("star", "rollups")
    warehouse.backfill(FIRST, LAST)
    assert warehouse.content() == streamed


def test_a_batch_inserted_again_with_its_token_changes_nothing(
    warehouse: WarehouseUnderTest,
) -> None:
    batches = stream_samples(warehouse)
    once = warehouse.content()
    for name, batch in batches.items():
        warehouse.stream(name, *SAMPLES[name](), batch=batch)
    assert warehouse.content() == once


def test_a_batch_inserted_again_after_a_backfill_changes_nothing(
    warehouse: WarehouseUnderTest,
) -> None:
    rows = engagement()
    batch = warehouse.stream("engagement_events", *rows)
    once = warehouse.content()
    warehouse.backfill(FIRST, LAST, "fact_engagement", "engagement_hourly", "dim_user_daily")
    warehouse.stream("engagement_events", *rows, batch=batch)
    assert warehouse.content() == once


def test_a_late_row_reaches_its_own_day_and_no_other(warehouse: WarehouseUnderTest) -> None:
    warehouse.stream("engagement_events", *engagement())
    before = events_by_day(warehouse)
    late = {**engagement(1)[0], "event_id": "late", "event_time": at("2026-01-02 23:59")}
    warehouse.stream("engagement_events", late)
    assert events_by_day(warehouse) == {**before, date(2026, 1, 2): before[date(2026, 1, 2)] + 1}


def test_a_day_that_became_empty_is_dropped_and_days_out_of_range_stay(
    warehouse: WarehouseUnderTest,
) -> None:
    # Not snapshots: a rebuilt day of counters also rebuilds the next day of its posts.
    for stream, rows in STREAMS.items():
        warehouse.stream(stream, *rows())
        warehouse.client.command(f"ALTER TABLE cleaned.{stream} DROP PARTITION '2026-01-02'")
        warehouse.client.command(f"ALTER TABLE cleaned.{stream} DROP PARTITION '2026-01-03'")
    before = warehouse.content()
    # A build that failed in another test has left its own.
    staging = "SELECT count() FROM system.tables WHERE name LIKE '%staging%'"
    left = warehouse.value(staging)

    warehouse.backfill(date(2026, 1, 1), date(2026, 1, 2))

    days = {name: {row[0] for row in rows} for name, rows in warehouse.content().items()}
    kept = {name: {row[0] for row in rows} for name, rows in before.items()}
    for name, found in days.items():
        assert found == kept[name] - {date(2026, 1, 2)}, name
    assert warehouse.value(staging) == left


@pytest.mark.endurance
def test_more_days_than_an_insert_may_have_partitions_are_rebuilt_by_one_run(
    warehouse: WarehouseUnderTest,
) -> None:
    limit = warehouse.value(
        "SELECT toUInt32(value) FROM system.settings WHERE name = 'max_partitions_per_insert_block'"
    )
    days = limit + 10
    first = at("2025-01-01 12:00")
    rows = [
        {**engagement(1)[0], "event_id": f"e{day}", "event_time": first + timedelta(days=day)}
        for day in range(days)
    ]
    warehouse.stream("engagement_events", *rows)
    warehouse.empty("star", "rollups")
    warehouse.backfill(
        rows[0]["event_time"].date(), rows[-1]["event_time"].date(), "fact_engagement"
    )
    assert warehouse.value("SELECT uniqExact(event_date) FROM star.fact_engagement") == days
