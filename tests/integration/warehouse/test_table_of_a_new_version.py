"""A table that a new version of the project brings is filled in a home that has rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.pipeline.stream_work import ingest_files
from social_assets.warehouse.dbt.deployment import deploy_warehouse
from social_assets.warehouse.dbt.deployment_record import last_deployment, record_deployment
from social_assets.warehouse.pending_days import pending_days
from tests.integration.warehouse.conftest import WarehouseUnderTest, at, served

NEW = (
    "engagement_account_hourly",
    "engagement_account_daily",
    "engagement_platform_hourly",
    "engagement_platform_daily",
    "engagement_users_daily",
)


@pytest.fixture
def warehouse(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("new_version")) as found:
        yield found


def load(stores: StoresResource, folder: Path, first: int) -> None:
    """Load a hundred events of three days, in January and February."""
    events = (
        {
            "event_id": f"e{number}",
            "event_time": (at("2026-01-31 00:00") + timedelta(minutes=43 * row)).isoformat(),
            "platform": ("TikTok", "YouTube")[row % 2],
            "account_id": str(1 + row % 5),
            "post_id": f"p{row % 11}",
            "user_id": str(1 + row % 23),
            "metric_type": ("like", "share")[row % 2],
            "value": 1,
        }
        for row, number in enumerate(range(first, first + 100))
    )
    path = folder / f"{first}.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    ingest_files(stores.stores().of(contract("engagement_events")), [path])


def as_an_older_version_left_it(warehouse: WarehouseUnderTest) -> None:
    """Drop the new tables and their views, also from the record of the deployment."""
    client = warehouse.client
    last = last_deployment(client)
    assert last is not None
    for (view,) in client.query(
        "SELECT name FROM system.tables WHERE database = 'internal'"
    ).result_rows:
        if view.split("__from__")[0] in NEW:
            client.command(f"DROP VIEW internal.{view} SYNC")
    for name in NEW:
        client.command(f"DROP TABLE rollups.{name} SYNC")
    names = [name for name in last.tables if not name.split(".")[1].startswith(NEW)]
    record_deployment(client, "older", names)


@pytest.mark.endurance
def test_the_next_load_finds_the_days_from_before_the_new_table_pending_and_fills_them(
    warehouse: WarehouseUnderTest, tmp_path: Path
) -> None:
    stores = StoresResource(clickhouse=ClickHouseResource())
    as_an_older_version_left_it(warehouse)
    load(stores, tmp_path, 0)

    done = deploy_warehouse(warehouse.endpoint, warehouse.home)
    assert set(done.new) == {f"rollups.{name}" for name in NEW}
    assert "new in the warehouse: rollups.engagement_account" in str(done)
    # These rows pass the new views before the earlier days are filled.
    load(stores, tmp_path, 100)
    with DagsterInstance.ephemeral() as instance:
        finish_warehouse(instance, stores, "test")

    assert pending_days(warehouse.client) == []
    for name in NEW:
        assert warehouse.value(f"SELECT sum(events) FROM rollups.{name}") == 200, name
