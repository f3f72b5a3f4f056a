"""Maintenance of a stream deletes exactly what the contract does not keep."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dagster import materialize

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.contract import Retention
from social_assets.defs.ingestion import cleaned
from social_assets.defs.maintenance import nightly as maintenance
from social_assets.defs.stores import LAKE_URL, StoresResource
from social_assets.lake.expired_days import ExpiredDaysError
from social_assets.pipeline import maintain
from social_assets.pipeline.maintain import expire, first_kept, maintain_stream
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.text.documents import index_days
from tests.integration.pipeline.accounts import contents, counts
from tests.lake_of_tests import lake_root_in

OLD, NEW, TODAY = date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 2)
StreamOf = Callable[[str], StreamStores]


def keeping(stores: StreamStores, retention: Retention) -> StreamStores:
    return dataclasses.replace(
        stores, declared=dataclasses.replace(stores.declared, retention=retention)
    )


@pytest.fixture
def events(stream: StreamOf, tmp_path: Path) -> StreamStores:
    """Two days of events: on each, one accepted, one a duplicate, one rejected."""
    stores = stream("engagement_events")
    for number, day in enumerate((OLD, NEW)):
        good = {
            "event_id": f"e{number}",
            "event_time": f"{day}T12:00:00Z",
            "account_id": 1,
            "metric_type": "like",
            "value": 1,
        }
        lines = [good, good, {**good, "value": -1}]
        path = tmp_path / f"{day}.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        ingest_files(stores, [path])
    assert counts(stores).raw == 6
    return stores


def test_without_a_limit_nothing_goes(events: StreamStores) -> None:
    before = contents(events)
    freed = maintain_stream(keeping(events, Retention(quarantine_days=None)), TODAY)
    assert sum(each.rows_removed for each in freed.values()) == 0
    assert contents(events) == before
    assert events.stores.lake.expired_days().days("raw/engagement_events") == set()


@pytest.mark.parametrize("layer", ["raw", "cleaned", "quarantine"])
def test_a_day_beyond_its_time_goes_from_its_layer_alone_and_is_recorded(
    events: StreamStores, layer: str
) -> None:
    before = contents(events)
    retention = Retention(**{"quarantine_days": None, f"{layer}_days": 30})
    freed = maintain_stream(keeping(events, retention), TODAY)
    emptied = {"raw": 3, "cleaned": 1, "quarantine": 2}[layer]
    assert freed[layer].rows_removed == emptied
    after = contents(events)
    gone = {layer, "warehouse"} if layer == "cleaned" else {layer}
    assert {name for name in before if before[name] != after[name]} == gone
    assert all(str(OLD) not in str(row) for name in gone for row in after[name])
    assert events.stores.lake.expired_days().days(f"{layer}/engagement_events") == {OLD}


def test_what_was_made_of_texts_goes_with_the_cleaned_day(stream: StreamOf, tmp_path: Path) -> None:
    posts, today = stream("posts"), datetime.now(UTC).date()
    post = {"post_id": "p1", "account_id": 1, "platform": "X", "media_type": "text"}
    path = tmp_path / "posts.ndjson"
    path.write_text(json.dumps({**post, "content": "good"}) + "\n")
    ingest_files(posts, [path])
    with posts.stores.clickhouse.client() as client:
        locks = posts.stores.lake.locks
        # Midnight may pass meanwhile.
        days = [today, today + timedelta(days=1)]
        assert index_days(client, locks, days, "run-1").documents == 1
        kept = keeping(posts, Retention(cleaned_days=30))
        assert maintain_stream(kept, today)["texts"].rows_removed == 0
        assert maintain_stream(kept, today + timedelta(days=40))["texts"].rows_removed == 1
        assert client.query("SELECT count() FROM text.documents").result_rows == [(0,)]


def test_loads_need_not_wait_while_maintenance_waits_for_documents(
    stream: StreamOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = keeping(stream("posts"), Retention(cleaned_days=30))
    free: list[bool] = []

    def waiting(*arguments: object) -> int:
        with posts.lock():
            free.append(True)
        return 0

    monkeypatch.setattr(maintain, "expire_texts", waiting)
    maintain_stream(posts, TODAY)
    assert free == [True]


def test_again_the_same_night_changes_nothing(events: StreamStores) -> None:
    stream = keeping(events, Retention(raw_days=30, cleaned_days=30, quarantine_days=30))
    maintain_stream(stream, TODAY)
    before = contents(events)
    freed = maintain_stream(stream, TODAY)
    assert sum(each.rows_removed for each in freed.values()) == 0
    assert contents(events) == before


def test_files_are_known_again_and_loads_go_on_after_their_day_went(
    events: StreamStores, tmp_path: Path
) -> None:
    maintain_stream(keeping(events, Retention(raw_days=30, cleaned_days=30)), TODAY)
    (again,) = ingest_files(events, [tmp_path / f"{OLD}.ndjson"]).landed
    assert again.already
    assert set(events.raw.rows_by_day()) == {NEW}
    rebuild(events, [NEW])
    assert events.loader.rows_by_day() == {NEW: 1}


def test_a_day_whose_raw_is_gone_is_not_made_anew(events: StreamStores) -> None:
    """A rebuild would empty it: cleaned is kept longer than raw."""
    maintain_stream(keeping(events, Retention(raw_days=30)), TODAY)
    expired = events.stores.lake.expired_days()
    with pytest.raises(ExpiredDaysError, match="2026-01-01 is gone from raw/engagement_events"):
        expired.refuse(["raw/engagement_events"], [OLD, NEW])
    expired.refuse(["raw/engagement_events"], [NEW])
    expired.refuse(["cleaned/engagement_events"], [OLD])


def test_a_warehouse_table_drops_the_days_before_the_limit(
    events: StreamStores, clickhouse: ClickHouseResource
) -> None:
    limit = first_kept(TODAY, 30)
    assert limit == date(2026, 1, 31)
    freed = expire(events.stores, "star/some_fact", "cleaned.engagement_events", limit)
    assert freed.rows_removed == 1
    assert freed.bytes_freed > 0
    assert events.loader.rows_by_day() == {NEW: 1}
    assert events.stores.lake.expired_days().days("star/some_fact") == {OLD}
    assert first_kept(TODAY, None) is None


def test_a_run_that_asks_for_a_day_whose_raw_is_gone_fails_and_changes_nothing(
    events: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LAKE_URL, lake_root_in(tmp_path))
    monkeypatch.setattr(cleaned, "deploy_in_force", lambda stores: None)
    maintain_stream(keeping(events, Retention(raw_days=30)), TODAY)
    before = contents(events)
    result = materialize(
        [cleaned.cleaned_asset(events.contract)],
        partition_key=str(OLD),
        resources={"stores": StoresResource(clickhouse=ClickHouseResource())},
        raise_on_error=False,
    )
    (failure,) = result.get_step_failure_events()
    assert "gone from raw/engagement_events" in str(failure.step_failure_data.error)
    assert contents(events) == before


def test_what_a_night_freed_is_in_the_metadata_of_its_asset(
    events: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LAKE_URL, lake_root_in(tmp_path))
    monkeypatch.setattr(maintenance, "_today", lambda: TODAY)
    stream = keeping(events, Retention(quarantine_days=30)).contract
    result = materialize(
        [maintenance.stream_maintenance(stream)],
        resources={"stores": StoresResource(clickhouse=ClickHouseResource())},
    )
    (event,) = result.get_asset_materialization_events()
    freed = event.materialization.metadata
    assert freed["rows_removed"].value == 2
    assert freed["files_before"].value > freed["files_after"].value > 0
    assert {"bytes_before", "bytes_after", "bytes_freed", "seconds"} <= set(freed)
    rows = {row.data["table"]: row.data["rows_removed"] for row in freed["tables"].records}
    assert (rows["raw"], rows["quarantine"]) == (0, 2)
