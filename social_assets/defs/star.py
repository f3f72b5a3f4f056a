"""`star/*`: facts and dimensions, built by dbt from `cleaned/*`."""

from resources.home import Home
from social_assets.checks.conservation import layer_laws
from social_assets.checks.referential import keys_resolve_checks, one_row_a_key_checks
from social_assets.checks.speed_equals_batch import speed_equals_batch_checks
from social_assets.defs.dbt_assets import layer_assets
from social_assets.defs.dbt_translator import Warehouse

_tables = Warehouse.of(Home.from_environment()).tables("star")
_star = layer_assets("star")

assets = [_star]
checks = [
    layer_laws("star"),
    keys_resolve_checks([table for table in _tables if table.name.startswith("fact_")]),
    one_row_a_key_checks([key for key in _star.keys if key.path[-1].startswith("dim_")]),
    speed_equals_batch_checks("star_speed_equals_batch", _tables, _star.asset_deps),
]
