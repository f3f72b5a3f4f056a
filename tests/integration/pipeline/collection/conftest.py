"""A home that tracks accounts of a platform server, and collects from it into real stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.environments import CONTROL_URL
from resources.settings.home import Home
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.control.engine import open_engine
from social_assets.demo.platforms.process import platform_server
from social_assets.demo.served_accounts import asked_at
from social_assets.ingest.connectors.client import ConnectorClient
from social_assets.ingest.connectors.registry import connector_of
from social_assets.pipeline.collection.collect_due import CollectedPlatform, Collection
from social_assets.pipeline.stores import Stores
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_in


@dataclass
class CollectingHome:
    """A home beside a platform server."""

    url: str
    home: Home
    engine: Engine
    stores: Stores

    @property
    def tracked(self) -> TrackedAccounts:
        return TrackedAccounts(self.engine)

    @property
    def credentials(self) -> PlatformCredentials:
        return PlatformCredentials(self.engine, self.home)

    def collect(self, platform: str, seconds: float = 60.0) -> CollectedPlatform:
        connector = connector_of(platform)
        with ConnectorClient(connector, self.home, self.engine) as client:
            return Collection(connector, self.home, self.engine, self.stores).collect(
                client, seconds
            )

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, timeout=60).raise_for_status().json()

    def post(self, path: str, **said: Any) -> None:
        httpx.post(self.url + path, json=said, timeout=60).raise_for_status()


@pytest.fixture
def collecting(
    clickhouse: ClickHouseResource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CollectingHome]:
    monkeypatch.delenv(CONTROL_URL, raising=False)
    home = Home(tmp_path / "home")
    engine = open_engine(home)
    with clickhouse.client() as client:
        client.command("DROP DATABASE IF EXISTS cleaned SYNC")
    stores = Stores(
        lake_in(tmp_path),
        DuckDBEngine(tmp_path / "spill"),
        clickhouse,
    )
    with platform_server(seed=3, accounts=1) as url, asked_at(url):
        yield CollectingHome(url, home, engine, stores)
    engine.dispose()
