"""The stores of the platform as one Dagster resource: lake, engine and warehouse.

Belongs here: only their configuration. Addresses come from the environment, so that no address or
credential is stored with a run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dagster import ConfigurableResource

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.environments import require_complete
from resources.settings.home import Home
from resources.settings.secret_urls import check_lake_url

if TYPE_CHECKING:
    from social_assets.pipeline.stores import Stores

LAKE_URL = "SOCIAL_ASSETS_LAKE_URL"
"""Environment variable: the lake's root, a folder or an object store's URL; default in the home."""


ENGINE_MEMORY = "SOCIAL_ASSETS_ENGINE_MEMORY"
ENGINE_THREADS = "SOCIAL_ASSETS_ENGINE_THREADS"
ENGINE_SPILL = "SOCIAL_ASSETS_ENGINE_SPILL"
"""Environment variables: DuckDB's memory limit (`640MB`), its threads, its folder for spilling."""


def lake_root(home: Home) -> str:
    """The lake's root: from the environment, or else in the home. Raises UrlSettingError."""
    root = os.environ.get(LAKE_URL)
    if not root:
        return str(home.lake)
    check_lake_url(LAKE_URL, root)
    return root


class StoresResource(ConfigurableResource):  # type: ignore[type-arg]
    """Delta tables, the DuckDB that processes them, and ClickHouse.

    `memory_limit` bounds DuckDB, in its notation (`640MB`); above it, DuckDB spills into the home.
    The environment variables of the engine override the settings here.
    """

    clickhouse: ClickHouseResource
    threads: int = 2
    memory_limit: str = "640MB"

    def stores(self) -> Stores:
        """The stores that the environment names."""
        # Imported here: they import Delta and DuckDB, which a sensor's tick does not need.
        from social_assets.lake.lake import Lake
        from social_assets.pipeline.stores import Stores
        from social_assets.transform.duckdb_engine import DuckDBEngine

        require_complete()
        home = Home.from_environment()
        return Stores(
            lake=Lake(lake_root(home), locks=home.path / "locks"),
            engine=DuckDBEngine(
                Path(os.environ.get(ENGINE_SPILL) or home.path / "spill"),
                _threads(os.environ.get(ENGINE_THREADS) or str(self.threads)),
                os.environ.get(ENGINE_MEMORY) or self.memory_limit,
            ),
            clickhouse=self.clickhouse,
        )


def _threads(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{ENGINE_THREADS} is {text!r}: write a number from 1")
    return int(text)
