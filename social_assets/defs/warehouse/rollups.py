"""`rollups/*`: what dashboards read, built by dbt from the facts."""

from functools import cache

from dagster import AssetChecksDefinition, AssetsDefinition

from resources.settings.home import Home
from social_assets.defs.monitoring.invariant_checks import layer_invariants
from social_assets.defs.warehouse.dbt_layers import layer_assets
from social_assets.defs.warehouse.metrics_of_tables import with_metrics
from social_assets.defs.warehouse.speed_checks import speed_equals_batch_checks
from social_assets.warehouse.dbt.tables import Warehouse


@cache
def rollups() -> AssetsDefinition:
    """The assets of the layer; prepares the dbt project if nobody has."""
    return layer_assets("rollups").map_asset_specs(with_metrics)


def rollup_checks() -> list[AssetChecksDefinition]:
    """What must hold for rollups."""
    tables = Warehouse.of(Home.from_environment()).tables("rollups")
    return [
        layer_invariants("rollups"),
        speed_equals_batch_checks("rollups_speed_equals_batch", tables, rollups().asset_deps),
    ]
