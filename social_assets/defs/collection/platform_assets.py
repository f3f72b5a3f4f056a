"""`platforms/<platform>`: what is collected from, upstream of the raw assets that it feeds.

Belongs here: the assets of connectors. They have no rows; runs of
`collect_<platform>` observe them.
"""

from __future__ import annotations

from dagster import AssetKey, AssetSpec, MetadataValue

from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.registry import connectors

GROUP = "platforms"


def platform_key(platform: str) -> list[str]:
    """The asset key of a platform."""
    return [GROUP, platform.lower()]


def platform_assets() -> list[AssetSpec]:
    """One asset for each connector."""
    return [_spec(each) for each in connectors()]


def platforms_of(stream: str) -> list[AssetKey]:
    """The platforms whose connectors feed a stream."""
    return [
        AssetKey(platform_key(each.platform))
        for each in connectors()
        if any(stream in endpoint.streams for endpoint in each.endpoints)
    ]


def _spec(connector: Connector) -> AssetSpec:
    endpoints = ", ".join(each.name for each in connector.endpoints)
    return AssetSpec(
        key=platform_key(connector.platform),
        group_name=GROUP,
        owners=["team:collection"],
        kinds={"api"},
        description=(
            f"{connector.platform}, by its API, for the accounts that `social-assets accounts` "
            f"lists. Job `collect_{connector.platform.lower()}` asks the endpoints {endpoints}."
        ),
        metadata={"api": MetadataValue.url(connector.base_url)},
    )
