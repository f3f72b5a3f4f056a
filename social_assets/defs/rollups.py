"""`rollups/*`: what dashboards read, built by dbt from the facts."""

from resources.home import Home
from social_assets.checks.conservation import layer_laws
from social_assets.checks.speed_equals_batch import speed_equals_batch_checks
from social_assets.defs.dbt_assets import layer_assets
from social_assets.defs.dbt_translator import Warehouse

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
