"""The stores that health tiles count in: lake, engine and warehouse.

Belongs here: only which they are; addresses come from the environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.settings.home import Home
from resources.settings.lake_root import lake_root

if TYPE_CHECKING:
    from social_assets.pipeline.stores import Stores


def open_stores(home: Home) -> Stores:
    """The stores of a home."""
    # Imported here: they import Delta and Ibis, which only health tiles need.
    from resources.clickhouse.resource import ClickHouseResource
    from resources.duckdb.resource import EngineResource
    from social_assets.lake.lake import Lake
    from social_assets.pipeline.stores import Stores
    from social_assets.transform.duckdb_engine import DuckDBEngine

    return Stores(
        lake=Lake(lake_root(home), locks=home.path / "locks"),
        engine=DuckDBEngine.of(EngineResource().settings(), home.queries),
        clickhouse=ClickHouseResource(),
    )
