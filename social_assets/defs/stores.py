"""The stores of the platform as one Dagster resource: lake, engine and warehouse.

Belongs here: only which they are. Addresses come from the environment, so that no address or
credential is stored with a run.
"""

from typing import TYPE_CHECKING, Any

from dagster import ConfigurableResource

from resources.clickhouse.resource import ClickHouseResource
from resources.duckdb.resource import EngineResource
from resources.settings.environments import require_complete
from resources.settings.home import Home
from resources.settings.lake_root import LAKE_URL, lake_root

if TYPE_CHECKING:
    from social_assets.pipeline.stores import Stores


__all__ = ["LAKE_URL", "StoresResource", "lake_root"]


# Without `from __future__ import annotations`: Dagster reads which fields are resources from types.
class StoresResource(ConfigurableResource):  # type: ignore[type-arg]
    """Delta tables, the DuckDB that processes them, and ClickHouse."""

    clickhouse: ClickHouseResource
    duckdb: EngineResource

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"duckdb": EngineResource(), **given})

    def stores(self) -> "Stores":
        """The stores that the environment names."""
        # Imported here: they import Delta and Ibis, which a sensor's tick does not need.
        from social_assets.lake.lake import Lake
        from social_assets.pipeline.stores import Stores
        from social_assets.transform.duckdb_engine import DuckDBEngine

        require_complete()
        home = Home.from_environment()
        return Stores(
            lake=Lake(lake_root(home), locks=home.path / "locks"),
            engine=DuckDBEngine.of(self.duckdb.settings(), home.queries),
            clickhouse=self.clickhouse,
        )
