"""Rows that arrive during a rebuild of the tables behind them are neither lost nor doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from threading import Event, Thread

import pytest
from dagster import materialize

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.registry import contract
from social_assets.defs.partitions import range_tags
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.dbt_layers import layer_assets
from social_assets.defs.warehouse.dbt_resource import warehouse_dbt
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild

DAY = date(2026, 3, 1)
REBUILDS = 1


@pytest.fixture(scope="module")
def events(deployed_home: Callable[[str], Home]) -> Iterator[StreamStores]:
    home = deployed_home("beside")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        stores = StoresResource(clickhouse=ClickHouseResource()).stores()
        yield stores.of(contract("engagement_events"))
        stop(home)


def event(number: int) -> dict[str, object]:
    return {
        "event_id": f"e{number}",
        "event_time": f"{DAY}T10:00:00Z",
        "platform": "YouTube",
        "account_id": 1,
        "post_id": "p1",
        "user_id": "u1",
        "metric_type": "like",
        "value": 1,
    }


def load_until(done: Event, stores: StreamStores, folder: Path, loaded: list[int]) -> None:
    """Load one event in each file, until the event is set."""
    while not done.is_set():
        number = len(loaded)
        path = folder / f"{number}.ndjson"
        path.write_text(json.dumps(event(number)) + "\n")
        ingest_files(stores, [path])
        loaded.append(number)


@pytest.mark.endurance
def test_a_day_rebuilt_while_it_is_loaded_has_every_row_once(
    events: StreamStores, tmp_path: Path
) -> None:
    done, loaded = Event(), list[int]()
    loading = Thread(target=load_until, args=(done, events, tmp_path, loaded))
    loading.start()
    clickhouse = ClickHouseResource()
    resources = {
        "clickhouse": clickhouse,
        "dbt": warehouse_dbt(clickhouse),
        "stores": StoresResource(clickhouse=clickhouse),
    }
    try:
        for _ in range(REBUILDS):
            rebuild(events, [DAY])
            layers = [layer_assets("star"), layer_assets("rollups")]
            assert materialize(layers, resources=resources, tags=range_tags(DAY, DAY)).success
    finally:
        done.set()
        loading.join()
    assert len(loaded) > 1
    with ClickHouseResource().client() as client:
        for query in (
            "SELECT count() FROM cleaned.engagement_events",
            "SELECT count() FROM star.fact_engagement",
            "SELECT sum(events) FROM rollups.engagement_hourly",
            "SELECT sum(interactions) FROM rollups.platform_daily",
        ):
            assert client.query(query).first_row[0] == len(loaded), query
