"""`star/*`: facts and dimensions, built by dbt from `cleaned/*`."""

from dagster import AssetChecksDefinition

from social_assets.defs.dbt_assets import layer_assets

assets = [layer_assets("star")]
checks: list[AssetChecksDefinition] = []
