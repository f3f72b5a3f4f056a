"""`rollups/*`: what dashboards read, built by dbt from the facts."""

from dagster import AssetChecksDefinition

from social_assets.defs.dbt_assets import layer_assets

assets = [layer_assets("rollups")]
checks: list[AssetChecksDefinition] = []
