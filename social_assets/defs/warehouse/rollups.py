"""`rollups/*`: what dashboards read, built by dbt from the facts."""

from resources.settings.home import Home
from social_assets.defs.monitoring.invariant_checks import layer_laws
from social_assets.defs.warehouse.dbt_layers import layer_assets
from social_assets.defs.warehouse.speed_checks import speed_equals_batch_checks
from social_assets.warehouse.dbt.translator import Warehouse

_rollups = layer_assets("rollups")

assets = [_rollups]
checks = [
    layer_laws("rollups"),
    speed_equals_batch_checks(
        "rollups_speed_equals_batch",
        Warehouse.of(Home.from_environment()).tables("rollups"),
        _rollups.asset_deps,
    ),
]
