"""`star/*`: facts and dimensions, built by dbt from `cleaned/*`."""

from functools import cache

from dagster import AssetChecksDefinition, AssetsDefinition

from resources.settings.home import Home
from social_assets.defs.monitoring.invariant_checks import layer_invariants
from social_assets.defs.warehouse.dbt_layers import layer_assets
from social_assets.defs.warehouse.referential_checks import (
    keys_resolve_checks,
    one_row_a_key_checks,
)
from social_assets.defs.warehouse.speed_checks import speed_equals_batch_checks
from social_assets.warehouse.dbt.tables import Warehouse


@cache
def star() -> AssetsDefinition:
    """The assets of the layer; prepares the dbt project if nobody has."""
    return layer_assets("star")


def star_checks() -> list[AssetChecksDefinition]:
    """What must hold for facts and dimensions."""
    assets, tables = star(), Warehouse.of(Home.from_environment()).tables("star")
    return [
        layer_invariants("star"),
        keys_resolve_checks([table for table in tables if table.name.startswith("fact_")]),
        one_row_a_key_checks([key for key in assets.keys if key.path[-1].startswith("dim_")]),
        speed_equals_batch_checks("star_speed_equals_batch", tables, assets.asset_deps),
    ]
